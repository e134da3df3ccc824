//! What Karmada is taught of Flux's kinds, run by the interpreter that Karmada embeds (gopher-lua).

#![allow(clippy::unwrap_used)]

use crate::packages::Folder;
use crate::program::program;
use crate::tools::tool;
use bowsprit::value::{Map, Value};
use bowsprit::yaml;
use std::path::Path;

/// A value as Lua writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::Map(map) => {
            let entries = map.entries();
            let entries =
                entries.iter().map(|(k, v)| format!("[{:?}] = {}", k.to_string(), literal(v)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::List(list) => {
            format!("{{{}}}", list.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Nil => "nil".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Int(_, n) => n.to_string(),
        other => format!("{:?}", other.as_str().unwrap().to_string()),
    }
}

/// Prints a value with sorted keys, on one line.
const SHOW: &str = "
function show(value)
  if type(value) ~= 'table' then
    return type(value) == 'string' and string.format('%q', value) or tostring(value)
  end
  local keys, parts = {}, {}
  for key in pairs(value) do table.insert(keys, key) end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    local name = type(key) == 'number' and '' or key .. ': '
    table.insert(parts, name .. show(value[key]))
  end
  return '{' .. table.concat(parts, ', ') .. '}'
end
";

struct Karmada<'k> {
    folder: &'k Folder,
    lua: &'k Path,
    customizations: Vec<Map>,
}

impl Karmada<'_> {
    /// What a rule's function gives for objects, each in YAML.
    fn run(&self, kind: &str, rule: &str, function: &str, objects: &[&str]) -> String {
        let at = |map: &Map, key: &str| map.get(key.as_bytes()).unwrap();
        let of_kind = |customization: &&Map| {
            let spec = at(customization, "spec");
            let target = at(spec.as_map().unwrap(), "target");
            at(target.as_map().unwrap(), "kind").as_str().unwrap().as_bytes() == kind.as_bytes()
        };
        let found = self.customizations.iter().find(of_kind).unwrap();
        let spec = at(found, "spec");
        let rules = at(spec.as_map().unwrap(), "customizations");
        let rule = at(rules.as_map().unwrap(), rule);
        let script = at(rule.as_map().unwrap(), "luaScript").as_str().unwrap().to_string();
        let read = |text: &&str| literal(&yaml::decode(text.as_bytes()).unwrap());
        let arguments: Vec<String> = objects.iter().map(read).collect();
        let call = format!("{script}\n{SHOW}\nprint(show({function}({})))\n", arguments.join(", "));
        self.folder.write("script.lua", &call);
        self.folder.ok(self.lua, &["script.lua"]).trim_end().to_owned()
    }

    fn health(&self, kind: &str, status: &str) -> String {
        let object = format!("{{metadata: {{generation: 2}}, status: {status}}}");
        self.run(kind, "healthInterpretation", "InterpretHealth", &[&object])
    }
}

#[test]
fn karmada_understands_flux() {
    let Some(lua) = tool("glua") else { return };
    let folder = Folder::new("interpreter");
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\nspec: {chartRef: \
                   {kind: OCIRepository, name: web}}\n---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: \
                   OCIRepository\nmetadata: {name: web}\nspec: {url: oci://r.example/web}\n";
    folder.write("web.yaml", release);
    let args = ["flux", "place", "-f", "web.yaml", "--clusters", "m1,m2", "--interpreter"];
    let placed = folder.ok(program(), &args);
    let documents =
        placed.split("---\n").filter(|d| d.contains("ResourceInterpreterCustomization"));
    let documents =
        documents.map(|d| yaml::decode(d.as_bytes()).unwrap().as_map().unwrap().clone());
    let karmada = Karmada { folder: &folder, lua: &lua, customizations: documents.collect() };
    for kind in ["HelmRelease", "OCIRepository"] {
        for (status, want) in [
            ("null", "false"),
            ("{}", "false"),
            ("{observedGeneration: 2, conditions: [{type: Ready, status: 'True'}]}", "true"),
            ("{observedGeneration: 1, conditions: [{type: Ready, status: 'True'}]}", "false"),
            ("{observedGeneration: 2, conditions: [{type: Ready, status: 'False'}]}", "false"),
            ("{observedGeneration: 2, conditions: [{type: Released, status: 'True'}]}", "false"),
        ] {
            assert_eq!(karmada.health(kind, status), want, "{kind} {status}");
        }
    }
    needs_and_keeps(&karmada);
    puts_statuses_together(&karmada);
}

fn needs_and_keeps(karmada: &Karmada<'_>) {
    let spec = "{metadata: {name: web, namespace: apps}, spec: {serviceAccountName: deployer, valuesFrom: [{kind: \
                ConfigMap, name: site}, {kind: Secret, name: keys}, {kind: Secret, name: keys}]}}";
    let needs = karmada.run("HelmRelease", "dependencyInterpretation", "GetDependencies", &[spec]);
    let need = |kind: &str, name: &str| {
        format!(r#"{{apiVersion: "v1", kind: "{kind}", name: "{name}", namespace: "apps"}}"#)
    };
    let want =
        [need("ConfigMap", "site"), need("Secret", "keys"), need("ServiceAccount", "deployer")];
    assert_eq!(needs, format!("{{{}}}", want.join(", ")));
    let source = "{metadata: {name: web, namespace: apps}, spec: {secretRef: {name: pull}}}";
    let needs =
        karmada.run("OCIRepository", "dependencyInterpretation", "GetDependencies", &[source]);
    assert_eq!(needs, format!("{{{}}}", need("Secret", "pull")));
    let (wanted, there) = ("{spec: {interval: 5m}}", "{spec: {interval: 1m, suspend: true}}");
    let kept = karmada.run("HelmRelease", "retention", "Retain", &[wanted, there]);
    assert_eq!(kept, r#"{spec: {interval: "5m", suspend: true}}"#);
}

fn puts_statuses_together(karmada: &Karmada<'_>) {
    let there = "{metadata: {generation: 3}, status: {observedGeneration: 3, lastAttemptedRevision: 1.2.0, conditions: \
                 [{type: Ready, status: 'True'}], failures: 4}}";
    let reflected = karmada.run("HelmRelease", "statusReflection", "ReflectStatus", &[there]);
    let want = r#"{conditions: {{status: "True", type: "Ready"}}, generation: 3, lastAttemptedRevision: "1.2.0", observedGeneration: 3}"#;
    assert_eq!(reflected, want);
    let item = |cluster: &str, status: &str| {
        format!(
            "{{clusterName: {cluster}, status: {{generation: 3, observedGeneration: 3, conditions: [{{type: Ready, \
             status: '{status}', reason: R{status}, message: said}}]}}}}"
        )
    };
    let object = "{metadata: {generation: 7}}";
    for (statuses, status) in [(["True", "True"], "True"), (["True", "False"], "False")] {
        let items = format!("[{}, {}]", item("m1", statuses[0]), item("m2", statuses[1]));
        let merged =
            karmada.run("HelmRelease", "statusAggregation", "AggregateStatus", &[object, &items]);
        let want = format!(
            r#"{{metadata: {{generation: 7}}, status: {{conditions: {{{{message: "m1=said, m2=said", reason: "R{status}", status: "{status}", type: "Ready"}}}}, observedGeneration: 7}}}}"#
        );
        assert_eq!(merged, want);
    }
    // As long as one cluster has not answered, what it answered before is not taken for today's.
    let items = format!("[{}, {{clusterName: m2}}]", item("m1", "True"));
    let merged =
        karmada.run("HelmRelease", "statusAggregation", "AggregateStatus", &[object, &items]);
    assert!(!merged.contains("observedGeneration"), "{merged}");
}
