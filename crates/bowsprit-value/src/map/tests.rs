use super::*;

fn nested() -> Map {
    Map::from_entries([(
        Str::from("a"),
        Value::Map(Map::from_entries([(Str::from("b"), Value::int(1))])),
    )])
}

fn child(map: &Map) -> Map {
    map.get(b"a").and_then(|v| v.as_map().cloned()).unwrap()
}

#[test]
fn cells_stay_small() {
    // With the two counts before it, two lines of a cache.
    assert!(size_of::<MapCell>() + 2 * size_of::<usize>() <= 120);
}

#[test]
fn forks_share_nothing_mutable() {
    let base = nested();
    let (one, two) = (base.fork(), base.fork());
    child(&one).insert("b".into(), Value::int(2));
    one.insert("c".into(), Value::Nil);
    assert!(matches!(child(&one).get(b"b"), Some(Value::Int(_, 2))));
    assert!(matches!(child(&two).get(b"b"), Some(Value::Int(_, 1))));
    assert!(matches!(child(&base).get(b"b"), Some(Value::Int(_, 1))));
    assert!(!two.contains(b"c"));
}

#[test]
fn a_forked_child_is_one_reference() {
    let one = nested().fork();
    assert!(child(&one).ptr_eq(&child(&one)));
    one.insert("z".into(), Value::Nil);
    let held = child(&one);
    held.insert("b".into(), Value::int(9));
    assert!(matches!(child(&one).get(b"b"), Some(Value::Int(_, 9))));
}

/// Two tables in one, a list with a third, and what can't be forked.
fn branched() -> Map {
    let list = Value::list(vec![Value::Map(nested()), Value::int(1)]);
    let (one, two) = (Value::Map(nested()), Value::Map(nested()));
    Map::from_entries(
        [("n", Value::Nil), ("two", two), ("one", one), ("list", list)]
            .map(|(key, value)| (Str::from(key), value)),
    )
}

#[test]
fn what_was_reached_below_a_fork_stays_what_it_is() {
    let at = |map: &Map, key: &str| map.get(key.as_bytes()).and_then(|v| v.as_map().cloned());
    let base = branched();
    for first in 0..2 {
        let fork = base.fork();
        let before = (first == 0).then(|| at(&fork, "one").unwrap());
        // Written to below, it shows in what is only looked at.
        if let Some(one) = &before {
            one.insert("x".into(), Value::int(7));
            let entries = fork.peek();
            let seen = entries.iter().find(|(key, _)| key.as_bytes() == b"one").unwrap().1;
            assert!(seen.as_map().unwrap().contains(b"x") && !fork.same_origin(&base));
        }
        let entries = fork.entries();
        for (key, value) in entries.iter() {
            let again = fork.get(key.as_bytes()).unwrap();
            match (value, &again) {
                (Value::Map(a), Value::Map(b)) => {
                    assert!(a.ptr_eq(b) && !a.ptr_eq(&at(&base, &key.to_string()).unwrap()));
                }
                (Value::List(a), Value::List(b)) => {
                    let map = |list: &crate::List| list.get(0).unwrap().as_map().cloned();
                    assert!(map(a).unwrap().ptr_eq(&map(b).unwrap()));
                }
                (a, b) => assert!(a.is_nil() && b.is_nil()),
            }
        }
        if let Some(one) = before {
            fork.insert("z".into(), Value::Nil);
            assert!(at(&fork, "one").unwrap().ptr_eq(&one));
        }
        assert!(!at(&base, "one").unwrap().contains(b"x"));
    }
}

#[expect(clippy::disallowed_methods, reason = "to see what threads of others see")]
#[test]
fn threads_reach_the_same_below_a_fork() {
    for _ in 0..50 {
        let fork = branched().fork();
        let reach = |ways: usize| {
            let entries = (ways == 0).then(|| fork.entries());
            let one = fork.get(b"one").unwrap();
            drop(entries);
            one.as_map().unwrap().id()
        };
        let ids: Vec<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|i| scope.spawn(move || reach(i % 2))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
}

#[test]
fn places_are_found_where_nothing_was_written() {
    let keys: Vec<String> = (0..20).map(|i| format!("{}k", "x".repeat(i))).collect();
    let entries = || keys.iter().map(|key| (Str::from(key.as_str()), Value::from(key.as_str())));
    for few in [4, 20] {
        let map = Map::from_entries(entries().take(few));
        for (key, start) in keys.iter().zip([0, 3, 19, 40].into_iter().cycle()) {
            let mut place = start;
            let found = map.unwritten_near(key.as_bytes(), &mut place).unwrap();
            let want = map.get(key.as_bytes());
            assert_eq!(found.is_some(), want.is_some(), "{key}");
            if let Some(found) = found {
                assert!(crate::deep_equal(found, &want.unwrap()));
                assert_eq!(map.entries().get(place).unwrap().0, key.as_str());
            }
            assert!(map.unwritten_near(b"z", &mut place).unwrap().is_none());
        }
        map.insert("z".into(), Value::Nil);
        assert!(map.unwritten_near(b"z", &mut 0).is_none());
    }
}

#[test]
fn later_entries_win_and_keys_are_sorted() {
    let map = Map::from_entries(
        [("b", 1), ("a", 2), ("b", 3)].map(|(k, v)| (Str::from(k), Value::int(v))),
    );
    let entries = map.entries();
    let got: Vec<_> = entries.iter().map(|(k, v)| (k.to_string(), format!("{v:?}"))).collect();
    assert_eq!(got[0].0, "a");
    assert_eq!(got[1], ("b".into(), "Int(Int, 3)".into()));
    assert_eq!(got.len(), 2);
}

#[test]
fn few_and_many_are_sorted_alike() {
    for count in 0..40_usize {
        let key = |i: usize| format!("{}", i * 7 % (count / 2 + 1));
        let entries = (0..count).map(|i| (Str::from(key(i)), Value::int(i as i64)));
        let want: std::collections::BTreeMap<_, _> = (0..count).map(|i| (key(i), i)).collect();
        let want: Vec<_> = want.iter().map(|(key, i)| format!("{key} Int(Int, {i})")).collect();
        let entries = Map::from_entries(entries).entries();
        let got: Vec<_> = entries.iter().map(|(key, v)| format!("{key} {v:?}")).collect();
        assert_eq!(got, want);
    }
}

#[test]
fn extending_replaces_and_keeps_the_order() {
    let pairs = |list: &[(&str, i64)]| {
        list.iter().map(|(k, v)| (Str::from(*k), Value::int(*v))).collect::<Vec<_>>()
    };
    let map = Map::from_entries(pairs(&[("b", 1), ("d", 2)]));
    map.extend(pairs(&[("e", 3), ("a", 4), ("b", 5), ("c", 6), ("a", 7)]));
    let got: Vec<_> = map.entries().iter().map(|(k, v)| format!("{k}{v:?}")).collect();
    assert_eq!(got.join(" "), "aInt(Int, 7) bInt(Int, 5) cInt(Int, 6) dInt(Int, 2) eInt(Int, 3)");
}

#[test]
fn origins_are_known_until_something_is_reached() {
    let base = nested();
    let (one, two) = (base.fork(), base.fork());
    assert!(one.same_origin(&two) && one.same_origin(&base));
    assert_eq!(one.peek().len(), 1);
    assert!(one.same_origin(&two));
    child(&one);
    assert!(!one.same_origin(&two));
    assert!(!nested().same_origin(&base));
}

#[test]
fn a_view_is_the_same_map() {
    let map = nested();
    let view = map.view(MapType::STRINGS);
    view.insert("z".into(), Value::int(1));
    assert!(map.contains(b"z") && view.ptr_eq(&map));
    assert_eq!(view.ty().elem, Elem::String);
}

#[test]
fn a_lazy_map_is_made_once_and_only_when_needed() {
    let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let map = Map::lazy(MapType::ANY, move || {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        [(Str::from("b"), Value::int(1)), (Str::from("a"), Value::int(2))]
    });
    let seen = || made.load(std::sync::atomic::Ordering::Relaxed);
    let view = map.view(MapType::ANY);
    assert_eq!(seen(), 0);
    assert_eq!((map.len(), view.contains(b"a"), map.fork().len(), seen()), (2, true, 2, 1));
}

#[test]
fn cycles_can_be_broken() {
    let map = Map::new();
    map.insert("self".into(), Value::Map(map.clone()));
    let weak = map.downgrade();
    drop(map);
    weak.clear();
    assert!(weak.0.upgrade().is_none());
}

#[test]
fn deep_maps_of_all_kinds_are_freed_without_recursion() {
    let kinds: [fn(Map) -> Map; 6] = [
        |map| map,
        // The table before the write and the one after it have the same below.
        |map| {
            map.insert("z".into(), Value::Nil);
            map
        },
        |map| {
            child_of(&map);
            map
        },
        |map| {
            map.entries();
            map.insert("z".into(), Value::Nil);
            map
        },
        |map| map.view(MapType::STRINGS),
        |map| {
            child_of(&map);
            map.peek();
            map.insert("z".into(), Value::Nil);
            map.view(MapType::ANY)
        },
    ];
    for kind in kinds {
        let mut map = Map::new();
        for _ in 0..100_000 {
            map = kind(Map::from_entries([(Str::from("a"), Value::Map(map))]));
        }
        let fork = map.fork();
        let mut reached = fork.clone();
        for _ in 0..100_000 {
            reached = child_of(&reached);
        }
        drop((map, reached));
        drop(fork);
        let mut written = Map::new();
        for _ in 0..100_000 {
            written = kind(Map::from_entries([(Str::from("a"), Value::Map(written))]).fork());
        }
        drop(written);
    }
}

fn child_of(map: &Map) -> Map {
    map.get(b"a").and_then(|value| value.as_map().cloned()).unwrap()
}
