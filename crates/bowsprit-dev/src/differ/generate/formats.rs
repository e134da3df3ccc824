//! Little languages inside the language: printf verbs, versions, time layouts, regexes.

use serde_json::{Value, json};

use super::calls::expression;
use super::literal;
use super::values::{any, mutated, number, text};
use crate::differ::rng::Rng;

fn template(text: String, values: Value) -> Value {
    json!({"kind": "template", "template": text, "values": values})
}

fn verb(rng: &mut Rng) -> String {
    let mut out = String::from("%");
    out.push_str(&rng.text(0, 3, &["+", "-", "#", "0", " ", ""]));
    if rng.chance(40) {
        out.push_str(rng.pick(&["1", "5", "12", "30", "*", "[1]*", "[2]", "[9]", "[x]", "03"]));
    }
    if rng.chance(30) {
        out.push_str(rng.pick(&[".", ".0", ".1", ".3", ".10", ".*", ".[1]*", ".-1"]));
    }
    if rng.chance(5) {
        out.push_str(rng.pick(&["[1]", "[3]", "[0]", "[", "[]"]));
    }
    out.push_str(rng.pick(&[
        "v", "v", "d", "s", "q", "x", "X", "f", "e", "E", "g", "G", "t", "c", "U", "o", "O", "b",
        "T", "F", "w", "z", "é", "!", "%", "", "s", "d", "#v", "+v",
    ]));
    out
}

pub(super) fn printf(rng: &mut Rng) -> Value {
    let verbs = rng.several(1, 3, |r| {
        let before = r.pick(&["", "", "a", " ", "%%", "é"]).to_owned();
        before + &verb(r)
    });
    let args = rng.several(0, 3, |r| match r.below(4) {
        0 => ".Values.v".to_owned(),
        1 => ".Values.n".to_owned(),
        2 => literal(&text(r)),
        _ => expression(r, 1),
    });
    let call = format!("{{{{ printf {} {} }}}}", literal(&verbs.concat()), args.join(" "));
    template(call, json!({"v": any(rng, 2), "n": number(rng)}))
}

fn version(rng: &mut Rng) -> String {
    let number = |r: &mut Rng| {
        r.pick(&[
            "0",
            "1",
            "2",
            "3",
            "10",
            "01",
            "99999999999999999999",
            "18446744073709551615",
            "x",
            "-1",
        ])
        .to_owned()
    };
    let small = |r: &mut Rng| r.pick(&["0", "1", "2", "3", "10"]).to_owned();
    let count = [3, 3, 3, 3, 2, 1, 4][rng.below(7)];
    let is_odd = rng.chance(8);
    let parts = rng.several(count, count, |r| if is_odd { number(r) } else { small(r) });
    let mut out = rng.pick(&["", "", "", "v", "V", " ", "=v"]).to_owned() + &parts.join(".");
    if rng.chance(35) {
        out.push('-');
        out.push_str(
            &rng.several(1, 3, |r| {
                r.pick(&["alpha", "beta", "rc1", "0", "1", "11", "01", "a-b", "", "é", "x"])
                    .to_owned()
            })
            .join("."),
        );
    }
    if rng.chance(15) {
        out.push('+');
        out.push_str(rng.pick(&["b1", "001", "a.b", "", "a+b", "_"]));
    }
    if rng.chance(3) { mutated(rng, &out, &[".", "-", "+", "v", " ", "0"]) } else { out }
}

fn constraint(rng: &mut Rng) -> String {
    let groups = rng.several(1, 2, |r| {
        let separator = r.pick(&[", ", " ", ",", " , ", "  "]);
        r.several(1, 3, |r| {
            let operator = r.pick(&[
                "", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^", "==", "> ", "^ ",
                "~ ", "><",
            ]);
            let operand = match r.below(5) {
                0 => r
                    .pick(&[
                        "*", "x", "X", "1.x", "1.*", "1.2.x", "x.1", "1.X.2", "", "1.2.*-a", "*.1",
                    ])
                    .to_owned(),
                1 => format!("{} - {}", version(r), version(r)),
                _ => version(r),
            };
            format!("{operator}{operand}")
        })
        .join(separator)
    });
    let out = groups.join(rng.pick(&[" || ", "||", " | "]));
    if rng.chance(5) { mutated(rng, &out, &["|", ",", " ", ">", "-", "x"]) } else { out }
}

pub(super) fn semver(rng: &mut Rng) -> Value {
    match rng.below(8) {
        0..=3 => json!({"kind": "semver", "constraint": constraint(rng), "version": version(rng)}),
        4 => json!({"kind": "semver", "version": version(rng)}),
        5 => json!({"kind": "semver", "version": version(rng), "other": version(rng)}),
        6 => template(
            format!(
                "{{{{ semverCompare {} {} }}}}",
                literal(&constraint(rng)),
                literal(&version(rng))
            ),
            json!({}),
        ),
        _ => template(
            format!(
                "{{{{ $v := semver {} }}}}{{{{ $v }}}} {{{{ $v.{} }}}} {{{{ (semver {}).Compare $v }}}}",
                literal(&version(rng)),
                rng.pick(&[
                    "Major",
                    "Minor",
                    "Patch",
                    "Prerelease",
                    "Metadata",
                    "Original",
                    "IncMajor",
                    "IncMinor",
                    "IncPatch",
                    "String",
                    "Nope"
                ]),
                literal(&version(rng))
            ),
            json!({}),
        ),
    }
}

const LAYOUT: &[&str] = &[
    "2006",
    "06",
    "01",
    "1",
    "Jan",
    "January",
    "02",
    "2",
    "_2",
    "002",
    "__2",
    "15",
    "03",
    "3",
    "04",
    "4",
    "05",
    "5",
    "PM",
    "pm",
    "Mon",
    "Monday",
    "MST",
    "Z0700",
    "Z07:00",
    "Z07",
    "-0700",
    "-07:00",
    "-07",
    "-07:00:00",
    "Z07:00:00",
    ".000",
    ".999",
    ",000",
    ".000000000",
    "-",
    ":",
    " ",
    "T",
    "/",
    "x",
    "é",
    "Janu",
    "_2006",
    "0",
    "9",
    ".00x",
    "Z070000",
    "-070000",
];
const ZONES: &[&str] = &[
    "UTC",
    "",
    "Local",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Etc/GMT+5",
    "Nope/Zone",
    "../etc",
    "Africa/Monrovia",
    "Pacific/Apia",
    "America/Sao_Paulo",
];

fn moment(rng: &mut Rng) -> String {
    match rng.below(4) {
        0 => format!("(int64 {})", rng.next() as i64 >> (20 + rng.below(44))),
        1 => format!(
            "(toDate \"2006-01-02T15:04:05Z07:00\" \"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}\")",
            rng.below(2400),
            1 + rng.below(12),
            1 + rng.below(30),
            rng.below(25),
            rng.below(60),
            rng.below(60),
            rng.pick(&["Z", "+02:00", "-07:30", "+23:59"])
        ),
        2 => format!("(int {})", rng.below(2_000_000_000)),
        _ => format!(
            "(toDate \"2006-01-02\" \"{:04}-{:02}-{:02}\")",
            rng.below(10_000),
            1 + rng.below(12),
            1 + rng.below(29)
        ),
    }
}

fn layout(rng: &mut Rng) -> String {
    if rng.chance(15) {
        return rng
            .pick(&[
                "2006-01-02",
                "2006-01-02T15:04:05Z07:00",
                "Mon, 02 Jan 2006 15:04:05 MST",
                "15:04:05.000",
                "3:04PM",
            ])
            .to_owned();
    }
    rng.text(1, 7, LAYOUT)
}

const DURATIONS: &[&str] =
    &["\"95\"", "95", "3600.5", "-7", "\"x\"", "nil", "(int64 99999999999)", "1e9"];
const ROUNDED: &[&str] = &[
    "\"2h10m5s\"",
    "\"400h\"",
    "\"1ns\"",
    "95",
    "(int64 3600000000000)",
    "\"x\"",
    "nil",
    "\"9000h\"",
    "(toDate \"2006\" \"2020\" | unixEpoch)",
];
const TIME_TEXTS: &[&str] = &[
    "2020-01-02",
    "2020-1-2",
    "15:04",
    "Mon Jan 2 15:04:05 2006",
    "2020-13-01",
    "x",
    "12:30PM",
    "02 Jan 20 03:04 CEST",
    "2020-01-02T03:04:05.678+01:00",
];
const TIME_METHODS: &[&str] = &[
    "Unix",
    "Year",
    "Format \"2006\"",
    "Weekday",
    "YearDay",
    "UTC",
    "IsZero",
    "Nope",
    "Month",
    "String",
];

pub(super) fn dates(rng: &mut Rng) -> Value {
    let (zone, layout, when) = (literal(rng.pick(ZONES)), literal(&layout(rng)), moment(rng));
    let amount = literal(&rng.text(
        0,
        4,
        &["1", "30", "h", "m", "s", "ms", "-", "+", ".5", "us", "µs", "ns", "d", "100", " "],
    ));
    let call = match rng.below(11) {
        0 | 1 => format!("date {layout} {when}"),
        2 | 3 => format!("dateInZone {layout} {when} {zone}"),
        4 => format!("htmlDateInZone {when} {zone}"),
        5 => format!("dateModify {amount} (toDate \"2006-01-02\" \"2021-03-04\")"),
        6 => format!("duration {}", rng.pick(DURATIONS)),
        7 => format!("durationRound {}", rng.pick(ROUNDED)),
        8 => format!("mustDateModify {amount} (toDate \"2006-01-02\" \"2021-03-04\")"),
        9 => {
            let given = rng.pick(TIME_TEXTS);
            let given = if rng.chance(40) {
                mutated(rng, given, &["0", "1", ":", "-", " ", "Z"])
            } else {
                given.to_owned()
            };
            format!("{} {layout} {}", rng.pick(&["toDate", "mustToDate"]), literal(&given))
        }
        _ => format!("({when}).{}", rng.pick(TIME_METHODS)),
    };
    template(format!("{{{{ {call} }}}}"), json!({}))
}

const PATTERN: &[&str] = &[
    "a",
    "b",
    "c",
    ".",
    "\\d",
    "\\w",
    "\\s",
    "\\b",
    "\\B",
    "^",
    "$",
    "*",
    "+",
    "?",
    "*?",
    "+?",
    "{2}",
    "{1,3}",
    "{2,}",
    "(",
    ")",
    "(?:",
    "(?P<n>",
    "(?<m>",
    "(?i)",
    "(?s)",
    "(?m:",
    "(?U)",
    "|",
    "[a-c]",
    "[^a]",
    "[[:alpha:]]",
    "\\p{L}",
    "\\pN",
    "\\P{Greek}",
    "[\\d-x]",
    "\\.",
    "é",
    "\\x41",
    "\\x{1F600}",
    "\\Q.a\\E",
    "\\z",
    "\\A",
    "[",
    "]",
    "\\",
    "{",
    "}",
    "(?=a)",
    "\\1",
    "[z-a]",
    "{1001}",
    "\\C",
    "-",
    "\\n",
    "[^\\n]",
    "k",
    "ſ",
];

pub(super) fn regex(rng: &mut Rng) -> Value {
    let pattern = if rng.chance(50) {
        let part = |r: &mut Rng| {
            let atom = r.pick(&[
                "a", "b", "[a-c]", ".", "\\w", "(a)", "(a|b)", "(?:ab)", "(b*)", "\\d", "é",
                "(?P<n>c)", "()", "\\pL", "\\b",
            ]);
            let times = r.pick(&["", "", "", "*", "+", "?", "*?", "{2}", "{1,2}", "+?", "??"]);
            format!("{atom}{times}")
        };
        let mut branches = rng.several(1, 2, |r| r.several(1, 4, part).concat());
        if rng.chance(20) {
            branches[0].insert_str(0, rng.pick(&["^", "(?i)", "(?s)", "(?m)^", "(?U)"]));
        }
        branches.join("|")
    } else {
        rng.text(1, 7, PATTERN)
    };
    let subject = if rng.chance(80) {
        rng.text(
            0,
            10,
            &["a", "b", "c", "ab", "A", "1", " ", "é", "\n", "x", ".", "-", "k", "K", "😀"],
        )
    } else {
        text(rng)
    };
    let with = rng.text(
        0,
        4,
        &["$1", "${1}", "$n", "${n}x", "$", "$$", "x", "\\1", "$0", "$1a", "${", "$9", "é"],
    );
    let count = rng.pick(&["-1", "-1", "0", "1", "2", "10"]);
    let must = rng.pick(&["regex", "mustRegex"]);
    let (p, s, w) = (literal(&pattern), literal(&subject), literal(&with));
    let call = match rng.below(7) {
        0 => format!("{must}Match {p} {s}"),
        1 => format!("{must}Find {p} {s} | quote"),
        2 => format!("{must}FindAll {p} {s} {count} | toJson"),
        3 | 4 => format!("{must}ReplaceAll {p} {s} {w} | quote"),
        5 => format!("{must}ReplaceAllLiteral {p} {s} {w} | quote"),
        _ => format!("{must}Split {p} {s} {count} | toJson"),
    };
    template(format!("{{{{ {call} }}}}"), json!({}))
}
