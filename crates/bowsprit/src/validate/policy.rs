//! ValidatingAdmissionPolicies from files, without an API server.
//!
//! [`Policies`] takes up policies, their bindings and the objects that these name as parameters, and
//! evaluates the CEL expressions on objects that would be created. A policy without a binding, which a
//! server would not apply, is taken as one that denies. What needs a server, as `authorizer`, or a
//! function that is not known here, makes a policy unclear: a warning, never silence.

use bowsprit_manifest::{LabelSelector, Labels, Object, objects};
use bowsprit_report::{Finding, Location, Severity, Subject};
use bowsprit_value::{Meter, Value, json};
use cel::{Context, Env, ExecutionError, Program, Value as Cel};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Arc;

/// Policies with all that they need.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    policies: Vec<Json>,
    bindings: Vec<Json>,
    /// All objects of the files: parameters and namespaces are among them.
    others: Vec<Json>,
    /// The namespace of objects that name none.
    pub namespace: String,
}

impl Policies {
    /// Adds all policies, bindings and parameters of a text. Gives the number of policies.
    ///
    /// ```
    /// use bowsprit::validate::policy::Policies;
    /// use bowsprit::validate::Input;
    /// use bowsprit::report::Subject;
    ///
    /// let policy = b"kind: ValidatingAdmissionPolicy\nmetadata: {name: few}\nspec:\n  matchConstraints:\n    \
    ///     resourceRules:\n    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}\n  \
    ///     validations:\n  - {expression: object.spec.replicas <= 5, message: too many}\n";
    /// let mut policies = Policies::default();
    /// assert_eq!(policies.add(policy)?, 1);
    /// let text = b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 9}\n";
    /// let mut subject = Subject::new("web");
    /// policies.check(&Input::file("web.yaml", text), &mut subject);
    /// assert_eq!(subject.findings[0].message, "policy few denies it: too many");
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For text that is no YAML.
    pub fn add(&mut self, text: &[u8]) -> Result<usize, String> {
        let mut count = 0;
        for object in objects(text).map_err(|error| error.to_string())? {
            let json = to_json(&object.value);
            match object.identity.kind.as_str() {
                "ValidatingAdmissionPolicy" => {
                    self.policies.push(json);
                    count += 1;
                }
                "ValidatingAdmissionPolicyBinding" => self.bindings.push(json),
                _ => self.others.push(json),
            }
        }
        Ok(count)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// Evaluates all policies on the objects of a text, and adds what they say. Text that is no YAML is
    /// passed over: the validator names it.
    pub fn check(&self, input: &super::Input<'_>, subject: &mut Subject) {
        for object in objects(input.text).unwrap_or_default() {
            let before = input.text.get(..object.span.start).unwrap_or_default();
            let line = before.iter().filter(|b| **b == b'\n').count() + 1;
            let location = match u32::try_from(line) {
                Ok(line) if input.has_lines => Location::line(input.file, line),
                _ => Location::file(input.file),
            };
            for policy in &self.policies {
                self.apply(policy, &object, &location, subject);
            }
        }
        subject.failed |= subject.findings.iter().any(|f| f.severity == Severity::Error);
    }

    fn apply(&self, policy: &Json, object: &Object, location: &Location, subject: &mut Subject) {
        let constraints = &policy["spec"]["matchConstraints"];
        if !self.matches(constraints, object) {
            return;
        }
        let name = text(&policy["metadata"]["name"]);
        let mine = |binding: &&Json| text(&binding["spec"]["policyName"]) == name;
        let mut bindings: Vec<Json> = self.bindings.iter().filter(mine).cloned().collect();
        if bindings.is_empty() {
            bindings.push(serde_json::json!({"spec": {"validationActions": ["Deny"]}}));
        }
        for binding in bindings {
            let resources = &binding["spec"]["matchResources"];
            if !resources.is_null() && !self.matches(resources, object) {
                continue;
            }
            let severity = severity(&binding["spec"]["validationActions"]);
            for params in self.params(policy, &binding, object) {
                let verdict = match params {
                    Ok(params) => self.evaluate(policy, object, &params),
                    Err(missing) => Verdict { denied: vec![missing], unclear: None },
                };
                let about = object_name(object);
                for message in verdict.denied {
                    let message = format!("policy {name} denies it: {message}");
                    let finding = Finding::new("K8S012", severity, message).at(location.clone());
                    subject.findings.push(finding.about(about.as_str()));
                }
                if let Some(why) = verdict.unclear {
                    let message = format!("policy {name} can't be evaluated: {why}");
                    let finding = Finding::new("K8S013", Severity::Warning, message);
                    subject.findings.push(finding.at(location.clone()).about(about.as_str()));
                }
            }
        }
    }

    /// Whether `matchConstraints` or `matchResources` mean an object.
    fn matches(&self, constraints: &Json, object: &Object) -> bool {
        let rules = list(&constraints["resourceRules"]);
        let excluded = list(&constraints["excludeResourceRules"]);
        let included = rules.is_empty() || rules.iter().any(|rule| is_meant(rule, object));
        if !included || excluded.iter().any(|rule| is_meant(rule, object)) {
            return false;
        }
        let selects = |selector: &Json, labels: &Labels| {
            let selector = json::decode(selector.to_string().as_bytes()).unwrap_or_default();
            selector.is_nil()
                || LabelSelector::of_object(&selector).is_none_or(|s| s.matches(labels))
        };
        selects(&constraints["objectSelector"], &object.labels())
            && selects(&constraints["namespaceSelector"], &self.namespace_labels(object))
    }

    fn namespace_of(&self, object: &Object) -> String {
        let own = object.identity.namespace.clone();
        own.unwrap_or_else(|| match self.namespace.as_str() {
            "" => "default".to_owned(),
            name => name.to_owned(),
        })
    }

    fn namespace_object(&self, object: &Object) -> Json {
        let name = self.namespace_of(object);
        let is_it = |other: &&Json| {
            text(&other["kind"]) == "Namespace" && text(&other["metadata"]["name"]) == name
        };
        self.others.iter().find(is_it).cloned().unwrap_or_else(|| {
            serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name,
                "labels": {"kubernetes.io/metadata.name": name}}})
        })
    }

    fn namespace_labels(&self, object: &Object) -> Labels {
        let namespace = self.namespace_object(object);
        let labels = namespace["metadata"]["labels"].as_object();
        labels.into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
    }

    /// The parameters of a binding: none, one, or all that a selector means.
    fn params(&self, policy: &Json, binding: &Json, object: &Object) -> Vec<Result<Json, String>> {
        let kind = &policy["spec"]["paramKind"];
        let reference = &binding["spec"]["paramRef"];
        if kind.is_null() || reference.is_null() {
            return vec![Ok(Json::Null)];
        }
        let namespace = match text(&reference["namespace"]) {
            empty if empty.is_empty() => self.namespace_of(object),
            given => given,
        };
        let selector = json::decode(reference["selector"].to_string().as_bytes());
        let selector =
            selector.ok().filter(|s| !s.is_nil()).and_then(|s| LabelSelector::of_object(&s));
        let name = text(&reference["name"]);
        let fits = |other: &&Json| {
            let metadata = &other["metadata"];
            let labels = metadata["labels"].as_object();
            let labels: Labels =
                labels.into_iter().flatten().map(|(k, v)| (k.clone(), text(v))).collect();
            text(&other["kind"]) == text(&kind["kind"])
                && text(&other["apiVersion"]) == text(&kind["apiVersion"])
                && (metadata["namespace"].is_null() || text(&metadata["namespace"]) == namespace)
                && match &selector {
                    Some(selector) => selector.matches(&labels),
                    None => text(&metadata["name"]) == name,
                }
        };
        let found: Vec<Result<Json, String>> =
            self.others.iter().filter(fits).cloned().map(Ok).collect();
        match (found.is_empty(), text(&reference["parameterNotFoundAction"]).as_str()) {
            (true, "Allow") => Vec::new(),
            (true, _) => vec![Err("no params found for policy binding".to_owned())],
            _ => found,
        }
    }

    fn evaluate(&self, policy: &Json, object: &Object, params: &Json) -> Verdict {
        let spec = &policy["spec"];
        let ignore = text(&spec["failurePolicy"]) == "Ignore";
        let mut verdict = Verdict::default();
        let outcome = (|| -> Result<(), Failed> {
            let mut scope = Scope::new(self.bindings_of(object, params))?;
            for condition in list(&spec["matchConditions"]) {
                if scope.evaluate(&text(&condition["expression"]))? != Cel::Bool(true) {
                    return Ok(());
                }
            }
            for variable in list(&spec["variables"]) {
                scope.add(&text(&variable["name"]), text(&variable["expression"]));
            }
            for validation in list(&spec["validations"]) {
                let expression = text(&validation["expression"]);
                let denied = match scope.evaluate(&expression) {
                    Ok(Cel::Bool(true)) => continue,
                    Ok(_) => scope.message(validation),
                    Err(Failed::Runtime(_)) if ignore => continue,
                    Err(Failed::Runtime(error)) => {
                        format!("expression '{}' resulted in error: {error}", expression.trim())
                    }
                    Err(unclear) => return Err(unclear),
                };
                verdict.denied.push(denied);
            }
            Ok(())
        })();
        match outcome {
            Ok(()) => {}
            Err(Failed::Runtime(error)) if !ignore => verdict.denied.push(error),
            Err(Failed::Runtime(_)) => {}
            Err(Failed::Unclear(why)) => verdict.unclear = Some(why),
        }
        verdict
    }

    /// The variables that expressions see.
    fn bindings_of(&self, object: &Object, params: &Json) -> Vec<(&'static str, Json)> {
        let identity = &object.identity;
        let kind = serde_json::json!({
            "group": identity.group(), "version": identity.version(), "kind": identity.kind,
        });
        let resource = serde_json::json!({
            "group": identity.group(), "version": identity.version(),
            "resource": plural(&identity.kind),
        });
        let request = serde_json::json!({
            "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource,
            "name": identity.name, "namespace": self.namespace_of(object), "operation": "CREATE",
            "dryRun": true, "subResource": "", "userInfo": {"username": "", "groups": []},
        });
        vec![
            ("object", to_json(&object.value)),
            ("oldObject", Json::Null),
            ("request", request),
            ("params", params.clone()),
            ("namespaceObject", self.namespace_object(object)),
        ]
    }
}

#[derive(Debug, Default)]
struct Verdict {
    denied: Vec<String>,
    unclear: Option<String>,
}

/// Why an expression gave nothing.
enum Failed {
    /// As it would on a server.
    Runtime(String),
    /// Because something is not known here.
    Unclear(String),
}

/// What expressions see.
struct Scope {
    env: Arc<Env>,
    bindings: Vec<(&'static str, Cel)>,
    /// `variables.…`, evaluated when they are asked for.
    variables: Vec<(String, String)>,
}

impl Scope {
    fn new(bindings: Vec<(&'static str, Json)>) -> Result<Scope, Failed> {
        let mut env = Env::stdlib().with_optional_support(true);
        env.set_error_on_duplicate_map_keys(false);
        let extended = env
            .add_extension(cel::extensions::strings)
            .and_then(|()| env.add_extension(cel::extensions::lists))
            .and_then(|()| env.add_extension(cel::extensions::math));
        extended.map_err(|error| Failed::Unclear(error.to_string()))?;
        let bindings = bindings.into_iter().map(|(name, value)| (name, to_cel(&value)));
        Ok(Scope { env: Arc::new(env), bindings: bindings.collect(), variables: Vec::new() })
    }

    fn add(&mut self, name: &str, expression: String) {
        self.variables.push((name.to_owned(), expression));
    }

    fn evaluate(&self, expression: &str) -> Result<Cel, Failed> {
        self.evaluate_below(expression, self.variables.len())
    }

    /// Evaluates with the variables before a number: each sees those before it.
    fn evaluate_below(&self, expression: &str, count: usize) -> Result<Cel, Failed> {
        const LONGEST: usize = 10_000;
        if expression.len() > LONGEST {
            return Err(Failed::Unclear("the expression is too long".to_owned()));
        }
        let program = self
            .env
            .compile(expression)
            .map_err(|error| Failed::Unclear(format!("{}: {error}", expression.trim())))?;
        let mut context = Context::with_env(Arc::clone(&self.env));
        for (name, value) in &self.bindings {
            context.add_variable_from_value(*name, value.clone());
        }
        let mut variables: HashMap<String, Cel> = HashMap::new();
        let known = self.variables.iter().take(count).enumerate();
        for (number, (name, text)) in known {
            // One that fails and is not asked for does not matter.
            if expression.contains(name.as_str())
                && let Ok(value) = self.evaluate_below(text, number)
            {
                variables.insert(name.clone(), value);
            }
        }
        context.add_variable_from_value("variables", Cel::from(variables));
        run(&program, &context)
    }

    fn message(&self, validation: &Json) -> String {
        let expression = text(&validation["messageExpression"]);
        if !expression.is_empty()
            && let Ok(Cel::String(message)) = self.evaluate(&expression)
        {
            return message.to_string();
        }
        match text(&validation["message"]) {
            empty if empty.is_empty() => {
                format!("failed expression: {}", text(&validation["expression"]).trim())
            }
            message => message.trim().to_owned(),
        }
    }
}

fn run(program: &Program, context: &Context<'_, '_>) -> Result<Cel, Failed> {
    program.execute(context).map_err(|error| match error {
        ExecutionError::UndeclaredReference(_)
        | ExecutionError::NoSuchOverload(_)
        | ExecutionError::NotSupportedAsMethod { .. }
        | ExecutionError::InternalError(_) => Failed::Unclear(error.to_string()),
        ExecutionError::NoSuchKey(key) => Failed::Runtime(format!("no such key: {key}")),
        error => Failed::Runtime(error.to_string()),
    })
}

fn is_meant(rule: &Json, object: &Object) -> bool {
    let any = |name: &str, value: &str| {
        let names = list(&rule[name]);
        names.iter().any(|found| matches!(text(found).as_str(), "*") || text(found) == value)
    };
    let plural = plural(&object.identity.kind);
    let resources = list(&rule["resources"]);
    let names = list(&rule["resourceNames"]);
    any("apiGroups", object.identity.group())
        && any("apiVersions", object.identity.version())
        && any("operations", "CREATE")
        && resources.iter().any(|r| {
            let name = text(r);
            name == "*" || name == "*/*" || name == plural
        })
        && (names.is_empty() || names.iter().any(|name| text(name) == object.identity.name))
}

/// The resource of a kind, as Kubernetes' own tools guess it.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    let before_y = kind.strip_suffix('y');
    match before_y {
        _ if kind == "endpoints" => kind,
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if kind.ends_with(['s', 'x']) || kind.ends_with("ch") => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}

fn severity(actions: &Json) -> Severity {
    let has = |action: &str| list(actions).iter().any(|found| text(found) == action);
    match () {
        () if has("Deny") || list(actions).is_empty() => Severity::Error,
        () if has("Warn") => Severity::Warning,
        () => Severity::Info,
    }
}

fn object_name(object: &Object) -> String {
    let identity = &object.identity;
    match &identity.namespace {
        Some(namespace) => format!("{}/{namespace}/{}", identity.kind, identity.name),
        None => format!("{}/{}", identity.kind, identity.name),
    }
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn to_json(value: &Value) -> Json {
    let mut out = Vec::new();
    match json::encode(value, &json::Options::default(), &mut out, &Meter::default()) {
        Ok(()) => serde_json::from_slice(&out).unwrap_or_default(),
        Err(_) => Json::Null,
    }
}

/// Whole numbers are CEL's `int`, as on a server.
pub(crate) fn to_cel(value: &Json) -> Cel {
    match value {
        Json::Null => Cel::Null,
        Json::Bool(truth) => Cel::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Cel::Int(int),
            None => Cel::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Cel::from(text.as_str()),
        Json::Array(items) => Cel::from(items.iter().map(to_cel).collect::<Vec<Cel>>()),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), to_cel(value)));
            Cel::from(entries.collect::<HashMap<String, Cel>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Input;

    const RULE: &str =
        "{apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: [pods]}";
    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {tier: web}}\n\
        spec: {containers: [{name: x, image: 'r/x:latest'}]}\n";

    fn findings(spec: &str, more: &str) -> Vec<String> {
        let policy = format!(
            "kind: ValidatingAdmissionPolicy\nmetadata: {{name: p}}\nspec:\n  matchConstraints: \
             {{resourceRules: [{RULE}]}}\n{spec}\n---\n{more}"
        );
        let mut policies = Policies::default();
        assert_eq!(policies.add(policy.as_bytes()), Ok(1));
        let mut subject = Subject::new("x");
        policies.check(&Input::file("pod.yaml", POD.as_bytes()), &mut subject);
        let line = |f: &Finding| format!("{} {}: {}", f.rule, f.severity, f.message);
        subject.findings.iter().map(line).collect()
    }

    #[test]
    fn expressions_deny() {
        let spec = "  variables: [{name: c, expression: object.spec.containers}]\n  validations:\n  \
            - expression: \"variables.c.all(x, !x.image.endsWith(':latest'))\"\n    \
            messageExpression: \"'no latest in ' + object.metadata.name\"\n";
        assert_eq!(findings(spec, ""), ["K8S012 error: policy p denies it: no latest in a"]);
        let fine = "  validations: [{expression: \"has(object.metadata.labels) && size(object.spec.containers) == 1\"}]";
        assert_eq!(findings(fine, ""), Vec::<String>::new());
    }

    #[test]
    fn bindings_parameters_and_conditions_count() {
        let spec = "  paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations:\n  \
            - {expression: \"size(object.spec.containers) < int(params.data.most)\", message: many}\n";
        let binding = "kind: ValidatingAdmissionPolicyBinding\nspec:\n  policyName: p\n  \
            validationActions: [Warn]\n  paramRef: {name: limits, namespace: default}\n";
        let limits =
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: limits}\ndata: {most: '1'}\n";
        let want = ["K8S012 warning: policy p denies it: many"];
        assert_eq!(findings(spec, &format!("{binding}{limits}")), want);
        let missing = ["K8S012 warning: policy p denies it: no params found for policy binding"];
        assert_eq!(findings(spec, binding), missing);
        let condition = "  matchConditions: [{name: c, expression: \"object.metadata.name != 'a'\"}]\n  \
            validations: [{expression: 'false'}]\n";
        assert_eq!(findings(condition, ""), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_known_is_said() {
        let spec =
            "  validations: [{expression: \"authorizer.path('/').check('get').allowed()\"}]\n";
        let found = findings(spec, "");
        assert!(found[0].starts_with("K8S013 warning: policy p can't be evaluated: "), "{found:?}");
        let missing = "  validations: [{expression: object.spec.hostNetwork == false}]\n";
        assert!(findings(missing, "")[0].contains("resulted in error: no such key: hostNetwork"));
        let ignored = format!("  failurePolicy: Ignore\n{missing}");
        assert_eq!(findings(&ignored, ""), Vec::<String>::new());
    }

    #[test]
    fn resources_have_names() {
        for (kind, want) in [
            ("Pod", "pods"),
            ("NetworkPolicy", "networkpolicies"),
            ("Ingress", "ingresses"),
            ("Gateway", "gateways"),
            ("Endpoints", "endpoints"),
        ] {
            assert_eq!(plural(kind), want);
        }
    }
}
