//! Dates: sprig's `date.go`, with Go's layouts, durations and zones.

mod civil;
mod duration;
mod layout;
mod parse;
mod rule;
mod time;
mod zone;

pub use duration::Duration;
pub use time::{Month, Time, Weekday};
pub use zone::Zone;

use bowsprit_value::{Args, Func, FuncError, Host, IntKind, Str, Timestamp, Type, Value, strconv};
use duration::{HOUR, MINUTE, SECOND};
use time::time;

const TIME: Type = Type::Named("time.Time");

pub(crate) static FUNCS: &[Func] = &[
    Func::host("ago", &[Type::Any], Type::String, ago),
    Func::host("date", &[Type::String, Type::Any], Type::String, date),
    Func::host("dateInZone", &[Type::String, Type::Any, Type::String], Type::String, date_in_zone),
    Func::pure("dateModify", &[Type::String, TIME], TIME, date_modify),
    Func::host(
        "date_in_zone",
        &[Type::String, Type::Any, Type::String],
        Type::String,
        date_in_zone,
    ),
    Func::pure("date_modify", &[Type::String, TIME], TIME, date_modify),
    Func::pure("duration", &[Type::Any], Type::String, duration),
    Func::host("durationRound", &[Type::Any], Type::String, duration_round),
    Func::host("htmlDate", &[Type::Any], Type::String, html_date),
    Func::host("htmlDateInZone", &[Type::Any, Type::String], Type::String, html_date_in_zone),
    Func::pure("mustDateModify", &[Type::String, TIME], TIME, must_date_modify),
    Func::host("mustToDate", &[Type::String, Type::String], TIME, must_to_date),
    Func::pure("must_date_modify", &[Type::String, TIME], TIME, must_date_modify),
    Func::host("now", &[], TIME, now),
    Func::host("toDate", &[Type::String, Type::String], TIME, to_date),
    Func::pure("unixEpoch", &[TIME], Type::String, unix_epoch),
];

type Result = std::result::Result<Value, FuncError>;

const HTML: &[u8] = b"2006-01-02";

/// Reads a time in UTC.
pub(crate) fn parse_utc(layout: &[u8], value: &[u8]) -> Option<Time> {
    parse::parse(layout, value, &Zone::UTC).ok()
}

fn load_zone(name: &[u8], host: &dyn Host) -> Zone {
    if name == b"Local" { Zone::of_host(host) } else { Zone::named(name).unwrap_or_default() }
}

fn now(_: &mut Args<'_>, host: &dyn Host) -> Result {
    Ok(time(Time::now(host.now(), Zone::of_host(host))))
}

/// The moment that an argument stands for: a time, or Unix seconds; `None` for anything else.
fn moment(value: &Value) -> Option<Time> {
    match value {
        Value::Int(IntKind::Int | IntKind::Int64 | IntKind::Int32, seconds) => {
            Some(Time::new(Timestamp { seconds: *seconds, nanos: 0 }, Zone::UTC))
        }
        other => other.downcast::<Time>().cloned(),
    }
}

fn format_in(args: &Args<'_>, layout: &[u8], value: &Value, zone: Zone, host: &dyn Host) -> Result {
    let time = moment(value).unwrap_or_else(|| Time::now(host.now(), Zone::UTC));
    let text = time.with_zone(zone).format(layout);
    args.charge(text.len())?;
    Ok(Value::Str(text))
}

fn date(args: &mut Args<'_>, host: &dyn Host) -> Result {
    format_in(args, args.str(0).as_bytes(), args.get(1), Zone::of_host(host), host)
}

fn date_in_zone(args: &mut Args<'_>, host: &dyn Host) -> Result {
    let zone = load_zone(args.str(2).as_bytes(), host);
    format_in(args, args.str(0).as_bytes(), args.get(1), zone, host)
}

fn html_date(args: &mut Args<'_>, host: &dyn Host) -> Result {
    format_in(args, HTML, args.get(0), Zone::of_host(host), host)
}

fn html_date_in_zone(args: &mut Args<'_>, host: &dyn Host) -> Result {
    let zone = load_zone(args.str(1).as_bytes(), host);
    format_in(args, HTML, args.get(0), zone, host)
}

fn date_modify(args: &mut Args<'_>) -> Result {
    match duration::parse(args.str(0).as_bytes()) {
        Ok(nanos) => Ok(moved(args.get(1), nanos)),
        Err(_) => Ok(args.take(1)),
    }
}

fn must_date_modify(args: &mut Args<'_>) -> Result {
    let nanos = duration::parse(args.str(0).as_bytes()).map_err(FuncError::new)?;
    Ok(moved(args.get(1), nanos))
}

fn moved(value: &Value, nanos: i64) -> Value {
    value.downcast::<Time>().map_or(Value::Nil, |t| time(t.clone().plus(nanos)))
}

fn ago(args: &mut Args<'_>, host: &dyn Host) -> Result {
    // Unlike the other functions this one knows no int32.
    let then = match args.get(0) {
        Value::Int(IntKind::Int32, _) => None,
        value => moment(value),
    };
    let now = Time::now(host.now(), Zone::UTC);
    let nanos = then.map_or(0, |then| now.since(&then));
    Ok(Value::Str(duration::text(duration::round(nanos, SECOND))))
}

fn duration(args: &mut Args<'_>) -> Result {
    let seconds = match args.get(0) {
        Value::Str(text) => parse_int(text.as_bytes()),
        Value::Int(IntKind::Int64, seconds) => *seconds,
        _ => 0,
    };
    Ok(Value::Str(duration::text(seconds.wrapping_mul(SECOND))))
}

/// `strconv.ParseInt` with its error ignored: the nearest number there is.
fn parse_int(text: &[u8]) -> i64 {
    strconv::parse_int(text, 10, 64).unwrap_or_else(|error| error.nearest_int())
}

fn duration_round(args: &mut Args<'_>, host: &dyn Host) -> Result {
    let nanos = match args.get(0) {
        Value::Str(text) => duration::parse(text.as_bytes()).unwrap_or(0),
        Value::Int(IntKind::Int64, nanos) => *nanos,
        other => match other.downcast::<Time>() {
            Some(then) => Time::now(host.now(), Zone::UTC).since(then),
            None => 0,
        },
    };
    const DAY: i64 = 24 * HOUR;
    const UNITS: [(i64, &str); 6] =
        [(365 * DAY, "y"), (30 * DAY, "mo"), (DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")];
    let nanos = nanos.unsigned_abs();
    let unit = UNITS.iter().find(|(unit, _)| nanos > *unit as u64);
    Ok(Value::Str(match unit {
        Some((unit, name)) => Str::from(format!("{}{name}", nanos / *unit as u64)),
        None => Str::from_static("0s"),
    }))
}

fn must_to_date(args: &mut Args<'_>, host: &dyn Host) -> Result {
    let here = Zone::of_host(host);
    parse::parse(args.str(0).as_bytes(), args.str(1).as_bytes(), &here)
        .map(time)
        .map_err(FuncError::new)
}

fn to_date(args: &mut Args<'_>, host: &dyn Host) -> Result {
    let here = Zone::of_host(host);
    let parsed = parse::parse(args.str(0).as_bytes(), args.str(1).as_bytes(), &here);
    Ok(time(parsed.unwrap_or_else(|_| Time::zero(here))))
}

fn unix_epoch(args: &mut Args<'_>) -> Result {
    let unix = args.get(0).downcast::<Time>().map_or(0, Time::unix);
    Ok(Value::from(unix.to_string()))
}
