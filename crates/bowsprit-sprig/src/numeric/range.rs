//! Sequences of integers.

use bowsprit_value::{Args, FuncError, LimitKind, List, ListType, Str, Value};
use std::io::Write;

/// `start`, `start + step`, ... up to, not including, an end.
#[derive(Clone, Copy)]
struct Steps {
    start: i64,
    step: i64,
    count: u64,
}

impl Steps {
    /// Empty where the step leads away from the end.
    ///
    /// Go would run over the end of `int` and never stop where the last step does so; that is more
    /// than any memory holds, so the count is as well.
    fn new(start: i64, stop: i64, step: i64) -> Steps {
        let distance = i128::from(stop) - i128::from(start);
        let towards = if distance < 0 { step < 0 } else { step > 0 };
        if !towards {
            return Steps { start, step, count: 0 };
        }
        let (distance, stride) = (distance.unsigned_abs(), u128::from(step.unsigned_abs()));
        let count = distance.div_ceil(stride);
        let beyond = i128::from(start) + i128::from(step) * count.cast_signed();
        let count = if i64::try_from(beyond).is_ok() { count as u64 } else { u64::MAX };
        Steps { start, step, count }
    }

    fn iter(self) -> impl Iterator<Item = i64> {
        (0..self.count).scan(self.start, move |next, _| {
            let now = *next;
            *next = now.wrapping_add(self.step);
            Some(now)
        })
    }
}

pub(super) fn until(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let count = args.int(0);
    ints(args, Steps::new(0, count, if count < 0 { -1 } else { 1 }))
}

pub(super) fn until_step(args: &mut Args<'_>) -> Result<Value, FuncError> {
    ints(args, Steps::new(args.int(0), args.int(1), args.int(2)))
}

fn ints(args: &Args<'_>, steps: Steps) -> Result<Value, FuncError> {
    let bytes =
        usize::try_from(steps.count).unwrap_or(usize::MAX).saturating_mul(size_of::<Value>());
    args.charge(bytes)?;
    let mut items = Vec::new();
    let count = usize::try_from(steps.count).unwrap_or(usize::MAX);
    items.try_reserve_exact(count).map_err(|_| FuncError::from(LimitKind::Bytes))?;
    items.extend(steps.iter().map(Value::int));
    Ok(Value::List(List::typed(ListType::INTS, items)))
}

pub(super) fn seq(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let steps = match args.rest(0) {
        [_] => {
            let (end, step) = (args.int(0), if args.int(0) < 1 { -1 } else { 1 });
            Steps::new(1, end.wrapping_add(step), step)
        }
        [_, _] => {
            let (start, end) = (args.int(0), args.int(1));
            let step = if end < start { -1 } else { 1 };
            Steps::new(start, end.wrapping_add(step), step)
        }
        [_, _, _] => {
            let (start, step, end) = (args.int(0), args.int(1), args.int(2));
            match (end < start, step > 0) {
                (true, true) => return Ok(Value::Str(Str::default())),
                (true, false) => Steps::new(start, end.wrapping_sub(1), step),
                (false, _) => Steps::new(start, end.wrapping_add(1), step),
            }
        }
        _ => return Ok(Value::Str(Str::default())),
    };
    joined(args, steps)
}

fn joined(args: &Args<'_>, steps: Steps) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    let mut charged = 0;
    for (i, number) in steps.iter().enumerate() {
        if out.len() >= charged {
            args.charge(4096)?;
            charged += 4096;
        }
        if i > 0 {
            out.push(b' ');
        }
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{number}");
    }
    Ok(Value::str(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(start: i64, stop: i64, step: i64) -> Vec<i64> {
        Steps::new(start, stop, step).iter().collect()
    }

    #[test]
    fn steps_stop_before_the_end() {
        assert_eq!(listed(0, 10, 3), [0, 3, 6, 9]);
        assert_eq!(listed(3, 0, -1), [3, 2, 1]);
        assert!(listed(0, 10, -1).is_empty() && listed(0, -10, 1).is_empty());
        assert!(listed(0, 5, 0).is_empty() && listed(5, 5, 1).is_empty());
        assert_eq!(Steps::new(0, i64::MAX, i64::MAX / 2 + 1).count, u64::MAX);
        assert_eq!(Steps::new(i64::MIN, i64::MAX, 1).count, u64::MAX);
    }
}
