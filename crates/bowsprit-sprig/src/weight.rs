//! How much work a value can be.

use bowsprit_value::Value;

/// Beyond this nobody counts.
const MOST: u64 = 1 << 20;

/// The number of values in a container, itself included, as often as they are reached.
pub(crate) fn weight(value: &Value) -> u64 {
    let mut count = 1;
    let mut pending = Vec::new();
    push_items(value, &mut pending);
    while let Some(value) = pending.pop() {
        count += 1;
        if count + pending.len() as u64 > MOST {
            return MOST;
        }
        push_items(&value, &mut pending);
    }
    count
}

fn push_items(value: &Value, pending: &mut Vec<Value>) {
    match value {
        Value::List(list) => pending.extend(list.iter().take(MOST as usize).cloned()),
        Value::Map(map) => {
            pending.extend(map.peek().iter().take(MOST as usize).map(|(_, v)| v.clone()));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Map;

    #[test]
    fn shared_values_count_each_time_and_cycles_end() {
        let inner = Value::list(vec![Value::Nil, Value::Nil]);
        assert_eq!(weight(&Value::list(vec![inner.clone(), inner])), 7);
        let map = Map::new();
        map.insert("self".into(), Value::Map(map.clone()));
        assert_eq!(weight(&Value::Map(map.clone())), MOST);
        map.remove(b"self");
    }
}
