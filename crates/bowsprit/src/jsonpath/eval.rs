//! What nodes select of a value.

use super::{JsonPathError, Node, Param};
use bowsprit_value::{Entries, Meter, Value, fmt, json};

type Step<T> = Result<T, JsonPathError>;

/// Finds everything first and prints then, as Kubernetes does.
pub(super) fn execute(nodes: &[Node], value: &Value, out: &mut Vec<u8>) -> Step<()> {
    let mut results = Vec::new();
    Machine::default().find(nodes, 0, value, &mut results)?;
    results.iter().try_for_each(|results| print(results, out))
}

/// Values of one action are separated by blanks.
fn print(results: &[Value], out: &mut Vec<u8>) -> Step<()> {
    let meter = Meter::default();
    for (i, value) in results.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        match value {
            Value::Nil => out.extend_from_slice(b"null"),
            Value::List(_) | Value::Map(_) | Value::Bytes(_) => {
                json::encode(value, &json::Options::default(), out, &meter)
                    .map_err(|error| JsonPathError::new(error.to_string()))?;
            }
            value => fmt::print_value(value, out, &meter)
                .map_err(|error| JsonPathError::new(error.to_string()))?,
        }
    }
    Ok(())
}

/// Where the walk through the template stands.
#[derive(Default)]
struct Machine {
    begin_range: usize,
    in_range: usize,
    end_range: usize,
    last_end: Option<usize>,
}

impl Machine {
    /// `FindResults`; `base` is the index of the first node in the whole template.
    fn find(
        &mut self,
        nodes: &[Node],
        base: usize,
        value: &Value,
        found: &mut Vec<Vec<Value>>,
    ) -> Step<()> {
        let mut i = 0;
        while let Some(node) = nodes.get(i) {
            let results = self.walk(vec![value.clone()], node)?;
            if self.end_range > 0 && self.end_range <= self.in_range {
                self.end_range -= 1;
                self.last_end = Some(base + i);
                return Ok(());
            }
            if self.begin_range == 0 {
                found.push(results);
                i += 1;
                continue;
            }
            self.begin_range -= 1;
            self.in_range += 1;
            let rest = nodes.get(i + 1..).unwrap_or_default();
            for value in &results {
                self.find(rest, base + i + 1, value, found)?;
            }
            if results.is_empty() {
                // Only to find where the range ends.
                self.find(rest, base + i + 1, &Value::Nil, &mut Vec::new())?;
            }
            self.in_range -= 1;
            i = self.last_end.and_then(|at| at.checked_sub(base)).filter(|at| *at > i).unwrap_or(i);
            i += 1;
        }
        Ok(())
    }

    fn walk(&mut self, input: Vec<Value>, node: &Node) -> Step<Vec<Value>> {
        match node {
            Node::List(nodes) => self.walk_list(input, nodes),
            Node::Text(text) => Ok(vec![Value::str(text.as_str())]),
            Node::Field(name) => field(&input, name),
            Node::Array(params) => array(&input, params),
            Node::Filter { left, operator, right } => self.filter(&input, left, operator, right),
            Node::Int(int) => Ok(vec![Value::int(*int); input.len()]),
            Node::Float(float) => Ok(vec![Value::Float(*float); input.len()]),
            Node::Bool(truth) => Ok(vec![Value::Bool(*truth); input.len()]),
            Node::Wildcard => Ok(input.iter().flat_map(children).collect()),
            Node::Recursive => Ok(recursive(input)),
            Node::Union(lists) => {
                let mut results = Vec::new();
                for nodes in lists {
                    results.extend(self.walk_list(input.clone(), nodes)?);
                }
                Ok(results)
            }
            Node::Identifier(name) => self.identifier(input, name),
        }
    }

    fn walk_list(&mut self, input: Vec<Value>, nodes: &[Node]) -> Step<Vec<Value>> {
        nodes.iter().try_fold(input, |input, node| self.walk(input, node))
    }

    fn identifier(&mut self, input: Vec<Value>, name: &str) -> Step<Vec<Value>> {
        match name {
            "range" => {
                self.begin_range += 1;
                Ok(input)
            }
            "end" if self.in_range > 0 => {
                self.end_range += 1;
                Ok(Vec::new())
            }
            "end" => Err(JsonPathError::new("not in range, nothing to end")),
            name => Err(JsonPathError::new(format!("unrecognized identifier {name}"))),
        }
    }

    fn filter(
        &mut self,
        input: &[Value],
        left: &[Node],
        operator: &str,
        right: &[Node],
    ) -> Step<Vec<Value>> {
        let mut results = Vec::new();
        for value in input {
            let Value::List(list) = value else {
                return Err(JsonPathError::new(
                    "the value is not array or slice and cannot be filtered",
                ));
            };
            for item in list.iter() {
                let lefts = self.walk_list(vec![item.clone()], left);
                if operator == "exists" {
                    if lefts.is_ok_and(|lefts| !lefts.is_empty()) {
                        results.push(item.clone());
                    }
                    continue;
                }
                let Some(left) = single(lefts?)? else { continue };
                let rights = self.walk_list(vec![item.clone()], right)?;
                let Some(right) = single(rights)? else { continue };
                if compare(&left, operator, &right)? {
                    results.push(item.clone());
                }
            }
        }
        Ok(results)
    }
}

fn single(values: Vec<Value>) -> Step<Option<Value>> {
    if values.len() > 1 {
        return Err(JsonPathError::new("can only compare one element at a time"));
    }
    Ok(values.into_iter().next())
}

/// Values of different types are not compared, nor are a float and an int.
fn compare(left: &Value, operator: &str, right: &Value) -> Step<bool> {
    use std::cmp::Ordering;
    let incompatible = || JsonPathError::new("incompatible types for comparison");
    let order = match (left, right) {
        (Value::Int(_, a), Value::Int(_, b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Str(a), Value::Str(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::Bool(a), Value::Bool(b)) if matches!(operator, "==" | "!=") => Some(a.cmp(b)),
        (Value::Bool(_), Value::Bool(_)) => {
            return Err(JsonPathError::new("invalid type for comparison"));
        }
        _ => return Err(incompatible()),
    };
    Ok(match operator {
        "==" => order == Some(Ordering::Equal),
        "!=" => order != Some(Ordering::Equal),
        "<" => order == Some(Ordering::Less),
        ">" => order == Some(Ordering::Greater),
        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        ">=" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        _ => return Err(JsonPathError::new(format!("unrecognized filter operator {operator}"))),
    })
}

fn field(input: &[Value], name: &str) -> Step<Vec<Value>> {
    let maps = input.iter().filter_map(Value::as_map);
    let results: Vec<Value> = maps.filter_map(|map| map.get(name.as_bytes())).collect();
    if results.is_empty() && !input.is_empty() {
        return Err(JsonPathError::new(format!("{name} is not found")));
    }
    Ok(results)
}

fn array(input: &[Value], params: &[Param; 3]) -> Step<Vec<Value>> {
    let mut results = Vec::new();
    for value in input {
        let list = match value {
            Value::Nil => continue,
            Value::List(list) => list,
            other => {
                let kind = other.type_name();
                return Err(JsonPathError::new(format!("{kind} is not array or slice")));
            }
        };
        let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
        let Some((start, end)) = bounds(params, length)? else { return Ok(results) };
        let step = match params[2] {
            Param { known: true, value: ..=0, .. } => {
                return Err(JsonPathError::new("step must be > 0"));
            }
            Param { known: true, value, .. } => value,
            _ => 1,
        };
        let slice = list.as_slice().get(start..end).unwrap_or_default();
        results.extend(slice.iter().step_by(usize::try_from(step).unwrap_or(usize::MAX)).cloned());
    }
    Ok(results)
}

/// The indexes that a slice means; `None` for one that is empty on purpose.
fn bounds(params: &[Param; 3], length: i64) -> Step<Option<(usize, usize)>> {
    let out_of_bounds = |index: i64| {
        JsonPathError::new(format!("array index out of bounds: index {index}, length {length}"))
    };
    let [first, last, _] = params;
    let mut start = if first.known { first.value } else { 0 };
    if start < 0 {
        start += length;
    }
    let mut end = if last.known { last.value } else { length };
    if end < 0 || (end == 0 && last.derived) {
        end += length;
    }
    if start == end {
        return Ok(None);
    }
    if start >= length || start < 0 {
        return Err(out_of_bounds(start));
    }
    if end > length || end < 0 {
        return Err(out_of_bounds(end - 1));
    }
    if start > end {
        return Err(JsonPathError::new(format!(
            "starting index {start} is greater than ending index {end}"
        )));
    }
    let index = |at: i64| usize::try_from(at).unwrap_or(0);
    Ok(Some((index(start), index(end))))
}

/// What is inside a value; in a string, its bytes.
fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::Map(map) => {
            let entries: Entries = map.entries();
            entries.iter().map(|(_, value)| value.clone()).collect()
        }
        Value::List(list) => list.iter().cloned().collect(),
        Value::Str(text) => text.as_bytes().iter().map(|&b| Value::int(b.into())).collect(),
        _ => Vec::new(),
    }
}

/// All values that have something inside, before what is inside them.
fn recursive(input: Vec<Value>) -> Vec<Value> {
    let mut results = Vec::new();
    let mut pending = input;
    pending.reverse();
    while let Some(value) = pending.pop() {
        let inside = children(&value);
        if !inside.is_empty() {
            pending.extend(inside.into_iter().rev());
            results.push(value);
        }
    }
    results
}
