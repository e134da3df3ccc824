//! `readyExpr` in CEL.

use crate::validate::policy::{to_cel, to_json};
use bowsprit_flux::{Question, Readiness, Verdict};
use bowsprit_value::{Map, Value};
use cel::common::ast::{Expr, LiteralValue, operators};
use cel::{Context, Env, ExecutionError, IdedExpr, Program, Value as Result};
use std::sync::Arc;

/// Evaluates the expressions of `dependsOn` with the functions that helm-controller gives them, but for
/// `sets.…` and `base64.…`, which are unknown here.
///
/// The types that expressions have are not inferred as there: of those whose value can't be true or false
/// only fields, literals, and sums of them are seen before they are evaluated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cel;

/// What is assumed of a status that was not read.
const ASSUMED: [&str; 2] = ["conditions", "observedGeneration"];

const LONGEST: usize = 10_000;

impl Readiness for Cel {
    fn judge(&self, question: &Question<'_>) -> Verdict {
        let expression = question.expression;
        if expression.len() > LONGEST {
            return Verdict::Unknown("the expression is too long".to_owned());
        }
        let mut env = Env::stdlib().with_optional_support(true);
        env.set_error_on_duplicate_map_keys(false);
        if let Err(error) = env.add_extension(cel::extensions::strings) {
            return Verdict::Unknown(error.to_string());
        }
        let env = Arc::new(env);
        let program = match env.compile(expression) {
            Ok(program) => program,
            Err(error) => return invalid(expression, &error.to_string()),
        };
        if let Some(name) = undeclared(&program) {
            return invalid(
                expression,
                &format!("undeclared reference to '{name}' (in container '')"),
            );
        }
        if let Some(kind) = other_kind(program.expression()) {
            return Verdict::Invalid(format!(
                "CEL expression output type mismatch: expected bool, got {kind}"
            ));
        }
        let outcome = run(&env, &program, question);
        match (outcome, beyond(program.expression(), question.assumed)) {
            (Verdict::NotReady | Verdict::Failed(_), Some(field)) => {
                Verdict::Unknown(format!("{field} is not known"))
            }
            (verdict, _) => verdict,
        }
    }
}

fn invalid(expression: &str, why: &str) -> Verdict {
    Verdict::Invalid(format!("failed to parse the CEL expression '{expression}': {why}"))
}

fn run(env: &Arc<Env>, program: &Program, question: &Question<'_>) -> Verdict {
    let mut context = Context::with_env(Arc::clone(env));
    let of = |object: &Map| to_cel(&to_json(&Value::Map(object.clone())));
    context.add_variable_from_value("self", of(question.this));
    context.add_variable_from_value("dep", of(question.dependency));
    match program.execute(&context) {
        Ok(Result::Bool(true)) => Verdict::Ready,
        Ok(Result::Bool(false)) => Verdict::NotReady,
        Ok(_) => Verdict::Failed("its value is neither true nor false".to_owned()),
        Err(ExecutionError::NoSuchKey(key)) => Verdict::Failed(format!("no such key: {key}")),
        Err(
            error @ (ExecutionError::UndeclaredReference(_)
            | ExecutionError::NoSuchOverload(_)
            | ExecutionError::NotSupportedAsMethod { .. }
            | ExecutionError::InternalError(_)),
        ) => Verdict::Unknown(error.to_string()),
        Err(error) => Verdict::Failed(error.to_string()),
    }
}

/// A name that is neither `self` nor `dep`, nor one that a macro binds.
fn undeclared(program: &Program) -> Option<String> {
    let mut bound = Vec::new();
    let mut found = None;
    walk(program.expression(), &mut |expr| match expr {
        Expr::Comprehension(c) => {
            bound.push(c.iter_var.clone());
            bound.extend(c.iter_var2.clone());
            bound.push(c.accu_var.clone());
        }
        Expr::Ident(name) => {
            const TYPES: [&str; 11] = [
                "self", "dep", "bool", "bytes", "double", "dyn", "int", "list", "map", "string",
                "uint",
            ];
            let known = TYPES.contains(&name.as_str()) || bound.contains(name);
            if !known && found.is_none() {
                found = Some(name.clone());
            }
        }
        _ => {}
    });
    // Roots of names of functions, such as `sets`, are told of when they are called.
    found.filter(|name| {
        !matches!(name.as_str(), "sets" | "base64" | "strings" | "optional" | "type")
    })
}

/// The type of an expression that is certainly not a truth value.
fn other_kind(expr: &IdedExpr) -> Option<&'static str> {
    match &expr.expr {
        Expr::Ident(_) => Some("dyn"),
        Expr::Select(select) if !select.test => Some("dyn"),
        Expr::List(_) => Some("list(dyn)"),
        Expr::Map(_) => Some("map(dyn, dyn)"),
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(_) => None,
            LiteralValue::Int(_) => Some("int"),
            LiteralValue::UInt(_) => Some("uint"),
            LiteralValue::Double(_) => Some("double"),
            LiteralValue::String(_) => Some("string"),
            LiteralValue::Bytes(_) => Some("bytes"),
            LiteralValue::Null => Some("null"),
        },
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::INDEX, _) => Some("dyn"),
            ("size", _) => Some("int"),
            (operators::CONDITIONAL, [_, yes, no]) => other_kind(yes).or_else(|| other_kind(no)),
            _ => None,
        },
        _ => None,
    }
}

/// A field of a status that the expression asks for and that nobody knows.
fn beyond(expr: &IdedExpr, assumed: bool) -> Option<String> {
    let mut found = None;
    let mut known = 0_usize;
    let mut asked = 0_usize;
    walk(expr, &mut |expr| {
        let (operand, field) = match expr {
            Expr::Select(select) => (&*select.operand, select.field.as_str()),
            Expr::Call(call) if call.func_name == operators::INDEX => match call.args.as_slice() {
                [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(key)), .. }] => {
                    (operand, key.inner())
                }
                _ => return,
            },
            _ => return,
        };
        if let Some(owner) = status_of(operand) {
            if owner == "dep" && (!assumed || ASSUMED.contains(&field)) {
                known += 1;
            } else {
                found.get_or_insert_with(|| format!("{owner}.status.{field}"));
            }
        }
        if field == "status"
            && matches!(&operand.expr, Expr::Ident(name) if name == "dep" || name == "self")
        {
            asked += 1;
        }
    });
    // `dep.status` by itself, or with a key that is computed.
    found.or_else(|| (asked > known && assumed).then(|| "the status".to_owned()))
}

/// Whose status an expression is.
fn status_of(expr: &IdedExpr) -> Option<&str> {
    let Expr::Select(select) = &expr.expr else { return None };
    match &select.operand.expr {
        Expr::Ident(name) if select.field == "status" && (name == "dep" || name == "self") => {
            Some(name)
        }
        _ => None,
    }
}

/// Visits an expression and all below it, the outer ones first.
fn walk<'e>(expr: &'e IdedExpr, visit: &mut impl FnMut(&'e Expr)) {
    let mut pending = vec![expr];
    while let Some(next) = pending.pop() {
        visit(&next.expr);
        match &next.expr {
            Expr::Call(call) => {
                pending.extend(call.target.as_deref());
                pending.extend(&call.args);
            }
            Expr::Comprehension(c) => {
                pending.extend([&c.iter_range, &c.accu_init, &c.loop_cond, &c.loop_step, &c.result])
            }
            Expr::List(list) => pending.extend(&list.elements),
            Expr::Select(select) => pending.push(&select.operand),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let cel::common::ast::EntryExpr::MapEntry(entry) = &entry.expr {
                        pending.extend([&entry.key, &entry.value]);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(expression: &str, this: &str, dependency: &str, assumed: bool) -> Verdict {
        let read = |text: &str| match bowsprit_yaml::decode(text.as_bytes()) {
            Ok(Value::Map(map)) => map,
            other => panic!("{other:?}"),
        };
        let (this, dependency) = (read(this), read(dependency));
        Cel.judge(&Question { expression, this: &this, dependency: &dependency, assumed })
    }

    const SELF: &str =
        "{metadata: {name: front, generation: 1}, spec: {values: {app: {version: v1}}}}";

    fn about(expression: &str) -> Verdict {
        let dep = "{metadata: {name: back, generation: 1, labels: {a: b}}, spec: {values: {app: {version: v1}, many: 2}}, \
                   status: {observedGeneration: 1, conditions: [{type: Ready, status: 'True'}]}}";
        judge(expression, SELF, dep, true)
    }

    #[test]
    fn expressions_of_the_documentation() {
        let lockstep = "dep.spec.values.app.version == self.spec.values.app.version &&\n\
            dep.status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True') &&\n\
            dep.metadata.generation == dep.status.observedGeneration\n";
        assert_eq!(about(lockstep), Verdict::Ready);
        assert_eq!(
            about("dep.metadata.labels['a'] == 'b' && has(dep.spec.values.many)"),
            Verdict::Ready
        );
        assert_eq!(about("dep.spec.values.many >= 2"), Verdict::Ready);
        assert_eq!(about("dep.spec.values.many == 3"), Verdict::NotReady);
        assert_eq!(about("true"), Verdict::Ready);
    }

    #[test]
    fn what_a_cluster_would_know() {
        let unknown = |field: &str| Verdict::Unknown(format!("{field} is not known"));
        assert_eq!(about("dep.status.history[0].version == 2"), unknown("dep.status.history"));
        assert_eq!(about("dep.status['history'].size() > 1"), unknown("dep.status.history"));
        assert_eq!(about("self.status.failures < 3"), unknown("self.status.failures"));
        assert_eq!(about("has(dep.status.history)"), unknown("dep.status.history"));
        let read = "{metadata: {generation: 3}, status: {observedGeneration: 2, conditions: []}}";
        let current = "dep.metadata.generation == dep.status.observedGeneration";
        assert_eq!(judge(current, SELF, read, false), Verdict::NotReady);
    }

    #[test]
    fn what_never_holds() {
        assert_eq!(
            about("dep.spec.nosuch == 1"),
            Verdict::Failed("no such key: nosuch".to_owned())
        );
        let mismatch = |kind: &str| {
            Verdict::Invalid(format!(
                "CEL expression output type mismatch: expected bool, got {kind}"
            ))
        };
        assert_eq!(about("dep.spec.suspend"), mismatch("dyn"));
        assert_eq!(about("dep.metadata.labels['a']"), mismatch("dyn"));
        assert_eq!(about("'yes'"), mismatch("string"));
        assert_eq!(about("size(dep.spec)"), mismatch("int"));
        for broken in ["dep.spec ==", "other.spec == 1"] {
            let verdict = about(broken);
            assert!(
                matches!(&verdict, Verdict::Invalid(why) if why.contains(broken)),
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn functions_that_are_not_there() {
        let verdict = about("sets.contains([1, 2], [1])");
        assert!(matches!(verdict, Verdict::Unknown(_)), "{verdict:?}");
    }
}
