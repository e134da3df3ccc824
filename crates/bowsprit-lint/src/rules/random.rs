//! Functions whose result changes from run to run.

use crate::helm::Linter;
use bowsprit_chart::Chart;
use bowsprit_render::calls;

/// Each with what makes it change.
const FUNCTIONS: &[(&str, &str)] = &[
    ("bcrypt", "a random salt"),
    ("encryptAES", "a random initial vector"),
    ("genCA", "a random key"),
    ("genCAWithKey", "the clock"),
    ("genPrivateKey", "a random key"),
    ("genSelfSignedCert", "a random key"),
    ("genSelfSignedCertWithKey", "the clock"),
    ("genSignedCert", "a random key"),
    ("genSignedCertWithKey", "the clock"),
    ("getHostByName", "the name service"),
    ("htpasswd", "a random salt"),
    ("now", "the clock"),
    ("ago", "the clock"),
    ("randAlpha", "randomness"),
    ("randAlphaNum", "randomness"),
    ("randAscii", "randomness"),
    ("randBytes", "randomness"),
    ("randInt", "randomness"),
    ("randNumeric", "randomness"),
    ("shuffle", "randomness"),
    ("uuidv4", "randomness"),
];

pub(super) fn check(linter: &mut Linter<'_>, chart: &Chart) {
    for template in &chart.templates {
        // NOTES.txt is read by people and applied to nothing.
        if template.name.as_bytes().ends_with(b"NOTES.txt") {
            continue;
        }
        let label = template.name.to_string_lossy().into_owned();
        for call in calls(template.data.as_bytes()) {
            let Some((name, why)) = FUNCTIONS.iter().find(|(name, _)| *name == call.function)
            else {
                continue;
            };
            let text = format!("{name} gives something else at every render: it depends on {why}");
            let message = linter.own("BS005", &label, text);
            message.line = u32::try_from(call.line).ok();
            message.column = u32::try_from(call.column).ok();
            message.help = Some(
                "take it from a value or an existing Secret, or render with --seed".to_owned(),
            );
        }
    }
}
