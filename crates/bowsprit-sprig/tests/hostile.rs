//! Arguments that would make Go hang, die or eat all memory.
#![allow(clippy::unwrap_used)]

use bowsprit_value::{
    Args, FuncError, FuncErrorKind, FuncImpl, Hermetic, Limits, Map, Meter, Value,
};

fn call_within(limits: Limits, name: &str, mut values: Vec<Value>) -> Result<Value, FuncError> {
    let func = bowsprit_sprig::functions().find(|f| f.name == name).unwrap();
    let meter = Meter::new(limits);
    let result = match func.body {
        FuncImpl::Pure(body) => body(&mut Args::new(&mut values, &meter)),
        FuncImpl::Host(body) => body(&mut Args::new(&mut values, &meter), &Hermetic::default()),
        FuncImpl::Engine(_) => panic!("{name} belongs to the engine"),
    };
    meter.release();
    result
}

fn stopped(name: &str, values: Vec<Value>) {
    let limits = Limits { bytes: 1 << 24, ..Limits::default() };
    let error = call_within(limits, name, values).unwrap_err();
    assert_eq!(error.kind(), FuncErrorKind::Limit, "{name}: {error}");
}

fn call(name: &str, values: Vec<Value>) -> Result<Value, FuncError> {
    call_within(Limits::default(), name, values)
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::from("end"), |inner, _| {
        Value::Map(Map::from_entries([("k".into(), Value::list(vec![inner]))]))
    })
}

fn nested_maps(depth: usize) -> Map {
    (0..depth).fold(Map::new(), |inner, i| {
        Map::from_entries([("k".into(), Value::Map(inner)), ("n".into(), Value::int(i as i64))])
    })
}

fn cyclic() -> Map {
    let map = Map::from_entries([("a".into(), Value::int(1))]);
    map.insert("self".into(), Value::Map(map.clone()));
    map
}

#[test]
fn results_of_any_size_are_refused_before_they_are_made() {
    let huge = || Value::int(1 << 60);
    stopped("repeat", vec![Value::int(2_000_000_000), "x".into()]);
    stopped("indent", vec![huge(), "x".into()]);
    stopped("nindent", vec![Value::int(1_000_000_000), "a\nb".into()]);
    stopped("until", vec![huge()]);
    stopped("untilStep", vec![Value::int(0), Value::int(i64::MAX), Value::int(i64::MAX / 2 + 1)]);
    stopped("seq", vec![Value::int(1), Value::int(1), huge()]);
    stopped("randAlpha", vec![huge()]);
    stopped("randBytes", vec![huge()]);
    let long = "x".repeat(1 << 20);
    stopped("replace", vec!["".into(), long.clone().into(), long.clone().into()]);
    stopped("splitList", vec!["".into(), long.clone().into()]);
    stopped("wrapWith", vec![Value::int(1), long.clone().into(), long.into()]);
}

#[test]
fn without_limits_what_no_memory_holds_is_refused_as_well() {
    for (name, values) in [
        ("until", vec![Value::int(i64::MAX)]),
        ("repeat", vec![Value::int(1 << 61), "x".into()]),
        ("indent", vec![Value::int(1 << 61), "x".into()]),
        ("randBytes", vec![Value::int(1 << 61)]),
        ("randAscii", vec![Value::int(1 << 61)]),
    ] {
        let error = call(name, values).unwrap_err();
        assert_eq!(error.kind(), FuncErrorKind::Limit, "{name}: {error}");
    }
    let error = call("repeat", vec![Value::int(i64::MAX), "xx".into()]).unwrap_err();
    assert_eq!(error.text(), &"strings: Repeat output length overflow");
}

#[test]
fn cycles_end_with_an_error() {
    let map = cyclic();
    let cycle = || Value::Map(map.clone());
    assert_eq!(call("deepCopy", vec![cycle()]).unwrap_err().text(), &"cyclic value");
    for name in ["merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite"] {
        let error = call(name, vec![Value::Map(Map::new()), cycle(), cycle()]).unwrap_err();
        assert_eq!(error.text(), &"cyclic value", "{name}");
        assert_eq!(call(name, vec![cycle(), cycle()]).unwrap_err().text(), &"cyclic value");
    }
    map.remove(b"self");
}

#[test]
fn depth_needs_no_native_stack() {
    const DEPTH: usize = 300_000;
    let work = || {
        call("deepCopy", vec![nested(DEPTH)]).unwrap();
        call("uniq", vec![Value::list(vec![nested(DEPTH), nested(DEPTH)])]).unwrap();
        let maps = [nested_maps(DEPTH), nested_maps(DEPTH)].map(Value::Map);
        call("mergeOverwrite", maps.to_vec()).unwrap();
        call("merge", maps.to_vec()).unwrap();
    };
    std::thread::Builder::new().stack_size(1 << 18).spawn(work).unwrap().join().unwrap();
}

#[test]
fn shared_values_are_charged_each_time_they_are_copied() {
    let mut value = Value::list(vec!["x".into()]);
    for _ in 0..40 {
        value = Value::list(vec![value.clone(), value]);
    }
    stopped("deepCopy", vec![value]);
}
