//! YAML and JSON in templates.

use bowsprit_value::{Args, Func, FuncError, FuncErrorKind, Map, Meter, Str, Type, Value, json};

const ANY: &[Type] = &[Type::Any];
const STRING: &[Type] = &[Type::String];

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("toYaml", ANY, Type::String, to_yaml),
    Func::pure("mustToYaml", ANY, Type::String, must_to_yaml),
    Func::pure("toYamlPretty", ANY, Type::String, to_yaml_pretty),
    Func::pure("fromYaml", STRING, Type::MAP, from_yaml),
    Func::pure("fromYamlArray", STRING, Type::LIST, from_yaml_array),
    Func::pure("fromJson", STRING, Type::MAP, from_json),
    Func::pure("fromJsonArray", STRING, Type::LIST, from_json_array),
];

/// What is the same in sprig and Helm.
pub(crate) static JSON_FUNCS: &[Func] = &[
    Func::pure("toJson", ANY, Type::String, to_json),
    Func::pure("mustToJson", ANY, Type::String, must_to_json),
    Func::pure("toPrettyJson", ANY, Type::String, to_pretty_json),
    Func::pure("mustToPrettyJson", ANY, Type::String, must_to_pretty_json),
    Func::pure("toRawJson", ANY, Type::String, to_raw_json),
    Func::pure("mustToRawJson", ANY, Type::String, must_to_raw_json),
    Func::pure("mustFromJson", STRING, Type::Any, must_from_json),
];

/// What sprig has in place of Helm's functions of the same names.
pub(crate) static SPRIG_FUNCS: &[Func] = &[Func::pure("fromJson", STRING, Type::Any, |args| {
    Ok(must_from_json(args).unwrap_or_default())
})];

/// The text of a value in YAML, with the final line break.
pub(crate) fn encode_yaml(value: &Value, meter: &Meter) -> Result<Str, FuncError> {
    let mut out = Vec::new();
    bowsprit_yaml::encode(value, &mut out, meter).map_err(yaml_error)?;
    Ok(Str::from(out))
}

/// What Helm's `toYaml` gives: no final line break, and nothing at all where encoding fails.
pub(crate) fn yaml_or_empty(value: &Value, meter: &Meter) -> Result<Str, FuncError> {
    let mut out = Vec::new();
    match bowsprit_yaml::encode(value, &mut out, meter) {
        Ok(()) => Ok(trimmed(out)),
        Err(error) => forgiven(yaml_error(error)),
    }
}

/// Helm swallows encoding errors; a limit stays an error.
fn forgiven(error: FuncError) -> Result<Str, FuncError> {
    if error.kind() == FuncErrorKind::Limit { Err(error) } else { Ok(Str::default()) }
}

fn yaml_error(error: bowsprit_yaml::Error) -> FuncError {
    let kind = match error.kind() {
        bowsprit_yaml::ErrorKind::Limit => FuncErrorKind::Limit,
        _ => FuncErrorKind::Plain,
    };
    FuncError::with_kind(kind, error.to_string())
}

fn trimmed(mut out: Vec<u8>) -> Str {
    if out.last() == Some(&b'\n') {
        out.pop();
    }
    Str::from(out)
}

fn to_yaml(args: &mut Args<'_>) -> Result<Value, FuncError> {
    yaml_or_empty(args.get(0), args.meter()).map(Value::Str)
}

fn must_to_yaml(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    bowsprit_yaml::encode(args.get(0), &mut out, args.meter()).map_err(yaml_error)?;
    Ok(Value::Str(trimmed(out)))
}

fn to_yaml_pretty(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    match bowsprit_yaml::encode_pretty(args.get(0), &mut out, args.meter()) {
        Ok(()) => Ok(Value::Str(trimmed(out))),
        // There Go's encoder panics.
        Err(error) if error.kind() == bowsprit_yaml::ErrorKind::Unsupported => {
            Err(yaml_error(error))
        }
        Err(error) => forgiven(yaml_error(error)).map(Value::Str),
    }
}

fn decoding(found: &Value, wanted: &str) -> String {
    let found = match found {
        Value::Map(_) => "object",
        Value::List(_) => "array",
        Value::Str(_) => "string",
        Value::Bool(_) => "bool",
        _ => "number",
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: \
         cannot unmarshal {found} into Go value of type {wanted}"
    )
}

fn error_map(text: impl Into<Str>) -> Value {
    Value::Map(Map::from_entries([(Str::from_static("Error"), Value::Str(text.into()))]))
}

fn error_list(text: impl Into<Str>) -> Value {
    Value::list(vec![Value::Str(text.into())])
}

/// Mappings that texts were decoded to in this run. Charts ask for the same few again and again.
#[derive(Default)]
struct Decoded {
    recent: [(Str, Map); Decoded::COUNT],
    next: usize,
}

impl Decoded {
    const COUNT: usize = 8;

    fn find(&self, text: &Str) -> Option<Map> {
        let same = |(known, _): &&(Str, Map)| known == text;
        self.recent.iter().find(same).map(|(_, map)| map.fork())
    }

    /// Keeps a mapping, and gives one that may be written.
    fn keep(&mut self, text: &Str, map: Map) -> Map {
        let fork = map.fork();
        if let Some(place) = self.recent.get_mut(self.next) {
            *place = (text.clone(), map);
        }
        self.next = (self.next + 1) % Decoded::COUNT;
        fork
    }
}

fn from_yaml(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (text, meter) = (args.str(0), args.meter());
    args.charge(text.len())?;
    if text.is_empty() {
        return Ok(Value::Map(Map::new()));
    }
    if let Some(map) = meter.scratch(|decoded: &mut Decoded| decoded.find(text)) {
        return Ok(Value::Map(map));
    }
    Ok(match bowsprit_yaml::decode(text.as_bytes()) {
        Ok(Value::Map(map)) => {
            Value::Map(meter.scratch(|decoded: &mut Decoded| decoded.keep(text, map)))
        }
        Ok(Value::Nil) => Value::Map(Map::new()),
        Ok(other) => error_map(decoding(&other, "map[string]interface {}")),
        Err(error) => error_map(error.to_string()),
    })
}

fn from_yaml_array(args: &mut Args<'_>) -> Result<Value, FuncError> {
    args.charge(args.str(0).len())?;
    Ok(match bowsprit_yaml::decode(args.str(0).as_bytes()) {
        Ok(Value::List(list)) => Value::List(list),
        Ok(Value::Nil) => Value::list(Vec::new()),
        Ok(other) => error_list(decoding(&other, "[]interface {}")),
        Err(error) => error_list(error.to_string()),
    })
}

fn encode_json(args: &Args<'_>, options: &json::Options<'_>) -> Result<Str, FuncError> {
    let mut out = Vec::new();
    json::encode(args.get(0), options, &mut out, args.meter()).map_err(FuncError::from)?;
    Ok(Str::from(out))
}

fn or_empty(text: Result<Str, FuncError>) -> Result<Value, FuncError> {
    text.or_else(forgiven).map(Value::Str)
}

const PLAIN: json::Options<'_> = json::Options { escape_html: true, indent: None };
const RAW: json::Options<'_> = json::Options { escape_html: false, indent: None };
const PRETTY: json::Options<'_> =
    json::Options { escape_html: true, indent: Some(json::Indent { prefix: "", indent: "  " }) };

fn to_json(args: &mut Args<'_>) -> Result<Value, FuncError> {
    or_empty(encode_json(args, &PLAIN))
}

fn must_to_json(args: &mut Args<'_>) -> Result<Value, FuncError> {
    encode_json(args, &PLAIN).map(Value::Str)
}

fn to_pretty_json(args: &mut Args<'_>) -> Result<Value, FuncError> {
    or_empty(encode_json(args, &PRETTY))
}

fn must_to_pretty_json(args: &mut Args<'_>) -> Result<Value, FuncError> {
    encode_json(args, &PRETTY).map(Value::Str)
}

/// Sprig's `toRawJson` panics where `toJson` stays silent.
fn to_raw_json(args: &mut Args<'_>) -> Result<Value, FuncError> {
    encode_json(args, &RAW).map(Value::Str)
}

fn must_to_raw_json(args: &mut Args<'_>) -> Result<Value, FuncError> {
    encode_json(args, &RAW).map(Value::Str)
}

fn from_json(args: &mut Args<'_>) -> Result<Value, FuncError> {
    args.charge(args.str(0).len())?;
    Ok(match json::decode_map(args.str(0).as_bytes()) {
        Ok(map) => Value::Map(map),
        Err(error) => {
            // After a number that fits nowhere Go goes on decoding, and Helm keeps what there is.
            let map = match error.partial() {
                Value::Map(partial) => partial.fork(),
                _ => Map::new(),
            };
            map.insert(Str::from_static("Error"), Value::from(error.to_string()));
            Value::Map(map)
        }
    })
}

fn from_json_array(args: &mut Args<'_>) -> Result<Value, FuncError> {
    args.charge(args.str(0).len())?;
    Ok(match json::decode_list(args.str(0).as_bytes()) {
        Ok(list) => Value::List(list),
        Err(error) => error_list(error.to_string()),
    })
}

fn must_from_json(args: &mut Args<'_>) -> Result<Value, FuncError> {
    args.charge(args.str(0).len())?;
    json::decode(args.str(0).as_bytes()).map_err(|error| FuncError::new(error.to_string()))
}
