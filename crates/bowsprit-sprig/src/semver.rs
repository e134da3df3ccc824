//! Versions: sprig's `semver.go` over [`bowsprit_semver`].

use crate::methods;
use bowsprit_semver::{Constraint, Version};
use bowsprit_value::{
    Args, Field, Func, FuncError, IntKind, Kind, Method, Object, Str, Type, Value,
};
use std::any::Any;
use std::cmp::Ordering;

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("semver", &[Type::String], POINTER, semver),
    Func::pure("semverCompare", &[Type::String, Type::String], Type::Bool, semver_compare),
];

type Result = std::result::Result<Value, FuncError>;

fn semver(args: &mut Args<'_>) -> Result {
    Ok(Value::object(Semver { version: parse(args.str(0))?, pointer: true }))
}

fn semver_compare(args: &mut Args<'_>) -> Result {
    let constraint = Constraint::parse(args.str(0)).map_err(error)?;
    Ok(constraint.check(&parse(args.str(1))?).into())
}

fn parse(text: &Str) -> std::result::Result<Version, FuncError> {
    Version::parse(text).map_err(error)
}

#[cold]
fn error(error: bowsprit_semver::Error) -> FuncError {
    FuncError::new(error.to_string())
}

const POINTER: Type = Type::Named("*semver.Version");
const STRUCT: Type = Type::Named("semver.Version");
const UINT64: Type = Type::Int(IntKind::Uint64);

/// A version as `semver` gives it, a pointer, or as its own methods do, a struct.
#[derive(Clone, Debug)]
struct Semver {
    version: Version,
    pointer: bool,
}

/// Go can't call the methods from `Compare` on, which are the pointer's, on a struct.
static METHODS: &[Method] = methods![Semver, v, args;
    "IncMajor"() -> STRUCT => changed(v.version.inc_major())?;
    "IncMinor"() -> STRUCT => changed(v.version.inc_minor())?;
    "IncPatch"() -> STRUCT => changed(v.version.inc_patch())?;
    "Major"() -> UINT64 => number(v.version.major());
    "MarshalJSON"() -> Type::Bytes => bytes(&format!("\"{}\"", v.version));
    "MarshalText"() -> Type::Bytes => bytes(&v.version.to_string());
    "Metadata"() -> Type::String => Value::from(v.version.metadata());
    "Minor"() -> UINT64 => number(v.version.minor());
    "Patch"() -> UINT64 => number(v.version.patch());
    "Prerelease"() -> Type::String => Value::from(v.version.prerelease());
    "SetMetadata"(Type::String) -> STRUCT => changed(v.version.set_metadata(args.str(0)))?;
    "SetPrerelease"(Type::String) -> STRUCT => changed(v.version.set_prerelease(args.str(0)))?;
    "String"() -> Type::String => Value::from(v.version.to_string());
    "Value"() -> Type::Any => Value::from(v.version.to_string());
    "Compare"(POINTER) -> Type::INT => Value::int(compare(v, args)? as i64);
    "Equal"(POINTER) -> Type::Bool =>
        args.get(0).downcast::<Semver>().is_some_and(|o| v.version.equal(&o.version)).into();
    "GreaterThan"(POINTER) -> Type::Bool => compare(v, args)?.is_gt().into();
    "GreaterThanEqual"(POINTER) -> Type::Bool => compare(v, args)?.is_ge().into();
    "LessThan"(POINTER) -> Type::Bool => compare(v, args)?.is_lt().into();
    "LessThanEqual"(POINTER) -> Type::Bool => compare(v, args)?.is_le().into();
    "Original"() -> Type::String => Value::from(v.version.original());
];

/// The order relative to the argument, of which a nil pointer panics in Go.
fn compare(v: &Semver, args: &Args<'_>) -> std::result::Result<Ordering, FuncError> {
    match args.get(0).downcast::<Semver>() {
        Some(other) => Ok(v.version.compare(&other.version)),
        None => {
            Err(FuncError::new("runtime error: invalid memory address or nil pointer dereference"))
        }
    }
}

fn changed(version: std::result::Result<Version, bowsprit_semver::Error>) -> Result {
    Ok(Value::object(Semver { version: version.map_err(error)?, pointer: false }))
}

fn number(n: u64) -> Value {
    Value::Int(IntKind::Uint64, n as i64)
}

fn bytes(text: &str) -> Value {
    Value::Bytes(text.as_bytes().into())
}

impl Object for Semver {
    fn type_name(&self) -> &'static str {
        if self.pointer { "*semver.Version" } else { "semver.Version" }
    }

    fn kind(&self) -> Kind {
        if self.pointer { Kind::Ptr } else { Kind::Struct }
    }

    fn methods(&self) -> &'static [Method] {
        let own = METHODS.iter().take_while(|m| self.pointer || m.name != "Compare").count();
        METHODS.get(..own).unwrap_or(METHODS)
    }

    fn field(&self, name: &[u8]) -> Field {
        match name {
            b"major" | b"minor" | b"patch" | b"pre" | b"metadata" | b"original" => {
                Field::Unexported
            }
            _ => Field::Missing,
        }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let v = &self.version;
        vec![
            ("major", number(v.major())),
            ("minor", number(v.minor())),
            ("patch", number(v.patch())),
            ("pre", Value::from(v.prerelease())),
            ("metadata", Value::from(v.metadata())),
            ("original", Value::from(v.original())),
        ]
    }

    fn to_text(&self) -> Option<Str> {
        Some(Str::from(self.version.to_string()))
    }

    fn to_json(&self) -> Option<Value> {
        self.to_text().map(Value::Str)
    }

    fn exported_copy(&self) -> Option<Value> {
        let version = Version::parse("0.0.0").ok()?;
        Some(Value::object(Semver { version, pointer: self.pointer }))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        (other as &dyn Any).downcast_ref::<Semver>().is_some_and(|other| {
            self.version.original() == other.version.original()
                && self.version.to_string() == other.version.to_string()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Meter;

    fn call(receiver: &Value, name: &str, args: &mut [Value]) -> Value {
        let Value::Object(object) = receiver else { panic!("no object") };
        let method = object.methods().iter().find(|m| m.name == name).unwrap();
        (method.call)(receiver, &mut Args::new(args, &Meter::default())).unwrap()
    }

    fn version(text: &str) -> Value {
        semver(&mut Args::new(&mut [Value::from(text)], &Meter::default())).unwrap()
    }

    #[test]
    fn versions_have_the_methods_of_go() {
        let v = version("v1.2.3-rc.1+b");
        assert!(matches!(call(&v, "Minor", &mut []), Value::Int(IntKind::Uint64, 2)));
        assert_eq!(call(&v, "Original", &mut []).as_str().unwrap(), &"v1.2.3-rc.1+b");
        let next = call(&v, "IncPatch", &mut []);
        let Value::Object(object) = &next else { panic!("no object") };
        assert_eq!(object.to_text().unwrap(), "1.2.3");
        assert_eq!(object.type_name(), "semver.Version");
        assert!(object.methods().iter().all(|m| m.name != "Original"));
        assert!(matches!(call(&v, "LessThan", &mut [version("1.3")]), Value::Bool(true)));
    }
}
