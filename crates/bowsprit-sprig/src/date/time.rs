//! `time.Time`: a moment in a zone, and what templates can ask of it.

use super::civil::{Absolute, Day, UNIX_TO_ABSOLUTE, UNIX_TO_INTERNAL, carry, unix_seconds};
use super::duration::{SECOND, duration, less_than_half, nanos_of};
use super::layout::{self, MONTHS, WEEKDAYS, push_int};
use super::parse;
use super::zone::Zone;
use crate::methods;
use bowsprit_value::{
    Args, Field, FuncError, FuncErrorKind, IntKind, Kind, Method, Object, Str, Timestamp, Type,
    Value,
};
use std::any::Any;
use std::cmp::Ordering;

const NANOS: i64 = SECOND;

/// Go's `time.Time`.
///
/// ```
/// use bowsprit_sprig::{Time, Zone};
/// use bowsprit_value::{Object, Timestamp};
///
/// let time = Time::new(Timestamp { seconds: 1_580_688_000, nanos: 0 }, Zone::UTC);
/// assert_eq!(time.to_text().unwrap(), "2020-02-03 00:00:00 +0000 UTC");
/// ```
#[derive(Clone, Debug)]
pub struct Time {
    /// Seconds since year 1, in UTC.
    seconds: i64,
    nanos: u32,
    /// What `now` adds to the text as `m=+…`: the nanoseconds since the clock was read.
    monotonic: Option<i64>,
    zone: Zone,
    /// The zone that Go calls `Local`.
    here: Zone,
}

/// A moment as the clocks of its zone show it.
pub(super) struct Local<'a> {
    pub(super) name: &'a [u8],
    pub(super) offset: i64,
    pub(super) absolute: Absolute,
}

/// A date and a time of day, not necessarily normalised.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) second_of_day: i64,
    pub(super) nanos: u32,
}

impl Time {
    /// A moment in a zone, which is also what the time's `Local` method turns to.
    pub fn new(at: Timestamp, zone: Zone) -> Time {
        Time {
            seconds: at.seconds.wrapping_add(UNIX_TO_INTERNAL),
            nanos: at.nanos.min(999_999_999),
            monotonic: None,
            here: zone.clone(),
            zone,
        }
    }

    /// The moment.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp { seconds: self.unix(), nanos: self.nanos }
    }

    /// Go's `time.ParseInLocation`: reads a time that is in `zone` unless it says otherwise. `here` is
    /// what Go calls `Local`. `None` where the text does not have the layout.
    pub fn parse(layout: &[u8], text: &[u8], zone: &Zone, here: &Zone) -> Option<Time> {
        let parsed = parse::parse(layout, text, zone).ok()?;
        Some(Time { here: here.clone(), ..parsed })
    }

    /// The moment so many nanoseconds later.
    #[must_use]
    pub fn after(&self, nanos: i64) -> Time {
        self.clone().plus(nanos)
    }

    /// The year in the time's zone.
    pub fn year(&self) -> i64 {
        self.day().year
    }

    /// Go's zero time, the first second of year 1 in UTC.
    pub(super) fn zero(here: Zone) -> Time {
        Time { seconds: 0, nanos: 0, monotonic: None, zone: Zone::UTC, here }
    }

    /// What `time.Now` gives.
    pub(super) fn now(at: Timestamp, here: Zone) -> Time {
        Time { monotonic: Some(0), ..Time::new(at, here) }
    }

    /// Go's `time.Date`.
    pub(super) fn from_fields(fields: Fields, zone: Zone, here: Zone) -> Time {
        let (year, month) = carry(fields.year, fields.month.wrapping_sub(1), 12);
        let local = unix_seconds(year, month + 1, fields.day, fields.second_of_day);
        let span = zone.at(local);
        let mut offset = span.offset;
        if offset != 0 {
            let guess = local.wrapping_sub(offset);
            if guess < span.start || guess >= span.end {
                offset = zone.at(guess).offset;
            }
        }
        let unix = local.wrapping_sub(offset);
        let seconds = unix.wrapping_add(UNIX_TO_INTERNAL);
        Time { seconds, nanos: fields.nanos, monotonic: None, zone, here }
    }

    pub(super) fn unix(&self) -> i64 {
        self.seconds.wrapping_sub(UNIX_TO_INTERNAL)
    }

    pub(super) fn nanos(&self) -> u32 {
        self.nanos
    }

    /// The zone that it is shown in.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    pub(super) fn local(&self) -> Local<'_> {
        let unix = self.unix();
        let span = self.zone.at(unix);
        let local = unix.wrapping_add(span.offset).wrapping_add(UNIX_TO_ABSOLUTE);
        Local { name: span.name, offset: span.offset, absolute: Absolute(local as u64) }
    }

    /// The same moment in another zone.
    #[must_use]
    pub fn with_zone(mut self, zone: Zone) -> Time {
        self.zone = zone;
        self.monotonic = None;
        self
    }

    /// Moves by seconds; stops at the ends of Go's time.
    pub(super) fn add_seconds(&mut self, seconds: i64) {
        let stop = if seconds > 0 { i64::MAX } else { -i64::MAX };
        self.seconds = self.seconds.checked_add(seconds).unwrap_or(stop);
    }

    /// Go's `Time.Add`.
    pub(super) fn plus(mut self, nanos: i64) -> Time {
        let (carried, rest) = carry(nanos / NANOS, i64::from(self.nanos) + nanos % NANOS, NANOS);
        self.nanos = rest as u32;
        self.add_seconds(carried);
        self.monotonic = self.monotonic.and_then(|m| m.checked_add(nanos));
        self
    }

    /// Go's `Time.Sub`: nanoseconds, at most what a duration can hold.
    pub(super) fn since(&self, other: &Time) -> i64 {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        let nanos = seconds * i128::from(NANOS) + i128::from(self.nanos) - i128::from(other.nanos);
        nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    fn compare(&self, other: &Time) -> Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }

    fn is_zero(&self) -> bool {
        self.seconds == 0 && self.nanos == 0 && self.monotonic.is_none()
    }

    /// Go's `Time.AddDate`.
    fn add_date(&self, years: i64, months: i64, days: i64) -> Time {
        let local = self.local();
        let (date, (hour, minute, second)) = (local.absolute.date(), local.absolute.clock());
        let fields = Fields {
            year: date.year.wrapping_add(years),
            month: date.month.wrapping_add(months),
            day: date.day.wrapping_add(days),
            second_of_day: hour * 3600 + minute * 60 + second,
            nanos: self.nanos,
        };
        Time::from_fields(fields, self.zone.clone(), self.here.clone())
    }

    /// Nanoseconds beyond the last multiple of a duration since the zero time.
    fn remainder(&self, unit: i64) -> i64 {
        let nanos = i128::from(self.seconds) * i128::from(NANOS) + i128::from(self.nanos);
        nanos.rem_euclid(i128::from(unit)) as i64
    }

    fn truncated(&self, unit: i64) -> Time {
        let time = Time { monotonic: None, ..self.clone() };
        if unit <= 0 { time } else { time.plus(-self.remainder(unit)) }
    }

    fn rounded(&self, unit: i64) -> Time {
        let time = Time { monotonic: None, ..self.clone() };
        if unit <= 0 {
            return time;
        }
        let rest = self.remainder(unit);
        time.plus(if less_than_half(rest, unit) { -rest } else { unit - rest })
    }

    /// Go's `Time.Format`.
    pub fn format(&self, layout: &[u8]) -> Str {
        let mut out = Vec::with_capacity(layout.len() + 10);
        layout::format(self, layout, &mut out);
        Str::from(out)
    }

    fn text(&self) -> Str {
        let mut out = Vec::with_capacity(40);
        layout::format(self, b"2006-01-02 15:04:05.999999999 -0700 MST", &mut out);
        if let Some(nanos) = self.monotonic {
            out.extend_from_slice(if nanos < 0 { b" m=-" } else { b" m=+" });
            let nanos = nanos.unsigned_abs();
            push_int(&mut out, (nanos / NANOS as u64) as i64, 0);
            out.push(b'.');
            push_int(&mut out, (nanos % NANOS as u64) as i64, 9);
        }
        Str::from(out)
    }

    fn rfc3339(&self) -> Str {
        self.format(b"2006-01-02T15:04:05.999999999Z07:00")
    }

    /// The strict form that JSON and text encodings take, or Go's error.
    fn strict_rfc3339(&self) -> Result<Str, &'static str> {
        let local = self.local();
        if !(0..=9999).contains(&local.absolute.date().year) {
            return Err("year outside of range [0,9999]");
        }
        if local.offset.abs() / 3600 >= 24 {
            return Err("timezone hour outside of range [0,23]");
        }
        Ok(self.rfc3339())
    }

    fn day(&self) -> Day {
        self.local().absolute.date()
    }

    fn clock(&self) -> (i64, i64, i64) {
        self.local().absolute.clock()
    }

    fn go_text(&self) -> Str {
        let (date, (hour, minute, second)) = (self.day(), self.clock());
        let month = month_name(date.month);
        let place = match self.zone.name() {
            _ if self.zone == Zone::UTC => "time.UTC".to_owned(),
            _ if self.zone == self.here => "time.Local".to_owned(),
            name => format!("time.Location({:?})", name.to_string_lossy()),
        };
        Str::from(format!(
            "time.Date({}, time.{month}, {}, {hour}, {minute}, {second}, {}, {place})",
            date.year, date.day, self.nanos
        ))
    }
}

impl Object for Time {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn field(&self, name: &[u8]) -> Field {
        match name {
            b"wall" | b"ext" | b"loc" => Field::Unexported,
            _ => Field::Missing,
        }
    }

    fn to_text(&self) -> Option<Str> {
        Some(self.text())
    }

    fn to_go_text(&self) -> Option<Str> {
        Some(self.go_text())
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let wall = Value::Int(IntKind::Uint64, i64::from(self.nanos));
        // Go's pointer to the zone is nil in UTC; elsewhere it differs from run to run.
        let zone = Value::object(UnexportedLocation);
        vec![("wall", wall), ("ext", Value::int64(self.seconds)), ("loc", zone)]
    }

    fn to_json(&self) -> Option<Value> {
        self.strict_rfc3339().ok().map(Value::Str)
    }

    fn equals(&self, other: &dyn Object) -> bool {
        (other as &dyn Any).downcast_ref::<Time>().is_some_and(|other| {
            self.compare(other) == Ordering::Equal
                && self.zone == other.zone
                && self.monotonic == other.monotonic
        })
    }
}

const TIME: Type = Type::Named("time.Time");
const DURATION: Type = Type::NamedInt("time.Duration", IntKind::Int64);
const LOCATION: Type = Type::Named("*time.Location");
const MONTH: Type = Type::Named("time.Month");
const WEEKDAY: Type = Type::Named("time.Weekday");

/// A method that Go has and templates can't call.
fn no_method(_: &Time, text: &'static str) -> Result<Value, FuncError> {
    Err(FuncError::with_kind(FuncErrorKind::Signature, text))
}

fn second_result(_: &Time, name: &str, ty: &str) -> Result<Value, FuncError> {
    let text = format!(
        "invalid function signature for {name}: second return value should be error; is {ty}"
    );
    Err(FuncError::with_kind(FuncErrorKind::Signature, text))
}

static METHODS: &[Method] = methods![Time, t, args;
    "Add"(DURATION) -> TIME => time(t.clone().plus(nanos_of(args.get(0))));
    "AddDate"(Type::INT, Type::INT, Type::INT) -> TIME =>
        time(t.add_date(args.int(0), args.int(1), args.int(2)));
    "After"(TIME) -> Type::Bool => order(t, args).is_gt().into();
    "AppendFormat"(Type::Bytes, Type::String) -> Type::Bytes => append_format(t, args);
    "AppendBinary"(Type::Bytes) -> Type::Bytes => appended(args, &binary(t)?);
    "AppendText"(Type::Bytes) -> Type::Bytes => appended(args, text_form(t, "AppendText")?.as_bytes());
    "Before"(TIME) -> Type::Bool => order(t, args).is_lt().into();
    "Clock"() -> Type::Any => no_method(t, "function Clock has 3 return values; should be 1 or 2")?;
    "Compare"(TIME) -> Type::INT => Value::int(order(t, args) as i64);
    "Date"() -> Type::Any => no_method(t, "function Date has 3 return values; should be 1 or 2")?;
    "Day"() -> Type::INT => Value::int(t.day().day);
    "Equal"(TIME) -> Type::Bool => order(t, args).is_eq().into();
    "Format"(Type::String) -> Type::String => Value::Str(t.format(args.str(0).as_bytes()));
    "GobEncode"() -> Type::Bytes => bytes(&binary(t)?);
    "GoString"() -> Type::String => Value::Str(t.go_text());
    "Hour"() -> Type::INT => Value::int(t.clock().0);
    "In"(LOCATION) -> TIME => match args.get(0).downcast::<Location>() {
        Some(location) => time(t.clone().with_zone(location.0.clone())),
        None => return Err(FuncError::new("time: missing Location in call to Time.In")),
    };
    "ISOWeek"() -> Type::Any => second_result(t, "ISOWeek", "int")?;
    "IsDST"() -> Type::Bool => t.zone.at(t.unix()).dst.into();
    "IsZero"() -> Type::Bool => t.is_zero().into();
    "Local"() -> TIME => time(t.clone().with_zone(t.here.clone()));
    "Location"() -> LOCATION => Value::object(Location(t.zone.clone()));
    "MarshalBinary"() -> Type::Bytes => bytes(&binary(t)?);
    "MarshalJSON"() -> Type::Bytes =>
        bytes(format!("\"{}\"", text_form(t, "MarshalJSON")?).as_bytes());
    "MarshalText"() -> Type::Bytes => bytes(text_form(t, "MarshalText")?.as_bytes());
    "Minute"() -> Type::INT => Value::int(t.clock().1);
    "Month"() -> MONTH => Value::object(Month(t.day().month));
    "Nanosecond"() -> Type::INT => Value::int(i64::from(t.nanos));
    "Round"(DURATION) -> TIME => time(t.rounded(nanos_of(args.get(0))));
    "Second"() -> Type::INT => Value::int(t.clock().2);
    "String"() -> Type::String => Value::Str(t.text());
    "Sub"(TIME) -> DURATION => duration(args.get(0).downcast().map_or(0, |u| t.since(u)));
    "Truncate"(DURATION) -> TIME => time(t.truncated(nanos_of(args.get(0))));
    "UTC"() -> TIME => time(t.clone().with_zone(Zone::UTC));
    "Unix"() -> Type::INT64 => Value::int64(t.unix());
    "UnixMicro"() -> Type::INT64 => unix_in(t, 1_000_000);
    "UnixMilli"() -> Type::INT64 => unix_in(t, 1_000);
    "UnixNano"() -> Type::INT64 => unix_in(t, NANOS);
    "Weekday"() -> WEEKDAY => Value::object(Weekday(t.local().absolute.weekday()));
    "Year"() -> Type::INT => Value::int(t.day().year);
    "YearDay"() -> Type::INT => Value::int(t.day().year_day);
    "Zone"() -> Type::Any => second_result(t, "Zone", "int")?;
    "ZoneBounds"() -> Type::Any => second_result(t, "ZoneBounds", "time.Time")?;
];

/// A `time.Time` value.
pub(super) fn time(time: Time) -> Value {
    Value::object(time)
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.into())
}

fn order(time: &Time, args: &Args<'_>) -> Ordering {
    args.get(0).downcast().map_or(Ordering::Equal, |other| time.compare(other))
}

fn append_format(time: &Time, args: &Args<'_>) -> Value {
    let mut out = Vec::new();
    layout::format(time, args.str(1).as_bytes(), &mut out);
    appended(args, &out)
}

/// The first argument with bytes behind it.
fn appended(args: &Args<'_>, tail: &[u8]) -> Value {
    match args.get(0) {
        Value::Bytes(head) => bytes(&[head, tail].concat()),
        _ => bytes(tail),
    }
}

fn text_form(time: &Time, method: &str) -> Result<Str, FuncError> {
    time.strict_rfc3339().map_err(|text| FuncError::new(format!("Time.{method}: {text}")))
}

/// Go's `Time.MarshalBinary`: version, seconds, nanoseconds, minutes east of UTC (-1 for UTC itself).
fn binary(time: &Time) -> Result<Vec<u8>, FuncError> {
    let offset = time.local().offset;
    let minutes = match time.zone == Zone::UTC {
        true => Some(-1),
        false => i16::try_from(offset / 60).ok().filter(|&minutes| minutes != -1),
    };
    let Some(minutes) = minutes else {
        return Err(FuncError::new("Time.MarshalBinary: unexpected zone offset"));
    };
    let rest = if time.zone == Zone::UTC { 0 } else { (offset % 60) as i8 };
    let mut out = vec![if rest == 0 { 1 } else { 2 }];
    out.extend(time.seconds.to_be_bytes());
    out.extend(time.nanos.to_be_bytes());
    out.extend(minutes.to_be_bytes());
    out.extend((rest != 0).then(|| rest.cast_unsigned()));
    Ok(out)
}

/// Unix time in so many parts of a second; wraps around as in Go.
fn unix_in(time: &Time, parts: i64) -> Value {
    let rest = i64::from(time.nanos) / (NANOS / parts);
    Value::int64(time.unix().wrapping_mul(parts).wrapping_add(rest))
}

fn month_name(month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|m| MONTHS.get(m)).copied().unwrap_or("")
}

/// A `time.Month`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month(pub i64);

/// A `time.Weekday`; 0 is Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekday(pub i64);

/// A `*time.Location`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Location(Zone);

/// The `*time.Location` inside of a time in UTC.
#[derive(Clone, Copy, Debug)]
struct UnexportedLocation;

impl Object for UnexportedLocation {
    fn type_name(&self) -> &'static str {
        "*time.Location"
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn is_nil(&self) -> bool {
        true
    }
}

macro_rules! named_int {
    ($type:ident, $name:literal, $text:expr) => {
        impl Object for $type {
            fn type_name(&self) -> &'static str {
                $name
            }

            fn kind(&self) -> Kind {
                Kind::Int(IntKind::Int)
            }

            fn methods(&self) -> &'static [Method] {
                static METHODS: &[Method] = methods![$type, n, _args;
                    "String"() -> Type::String => n.to_text().map_or(Value::Nil, Value::Str);
                ];
                METHODS
            }

            fn to_text(&self) -> Option<Str> {
                let text: fn(i64) -> &'static str = $text;
                Some(Str::from_static(text(self.0)))
            }

            fn to_json(&self) -> Option<Value> {
                Some(Value::int(self.0))
            }

            fn equals(&self, other: &dyn Object) -> bool {
                (other as &dyn Any).downcast_ref() == Some(self)
            }
        }
    };
}

named_int!(Month, "time.Month", month_name);
named_int!(Weekday, "time.Weekday", |day| {
    usize::try_from(day).ok().and_then(|d| WEEKDAYS.get(d)).copied().unwrap_or("")
});

impl Object for Location {
    fn type_name(&self) -> &'static str {
        "*time.Location"
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn methods(&self) -> &'static [Method] {
        static METHODS: &[Method] = methods![Location, l, _args;
            "String"() -> Type::String => Value::Str(l.0.name());
        ];
        METHODS
    }

    fn to_text(&self) -> Option<Str> {
        Some(self.0.name())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        (other as &dyn Any).downcast_ref() == Some(self)
    }
}
