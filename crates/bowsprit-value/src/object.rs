//! Structs, pointers and named types: whatever has methods or fields.

use crate::{Args, FuncError, Kind, Param, Str, Type, Value};
use std::any::Any;
use std::fmt;

/// The outcome of asking an object for a field.
#[derive(Clone, Debug)]
pub enum Field {
    /// The field's value.
    Value(Value),
    /// There is no such field.
    Missing,
    /// The field exists but is not exported.
    Unexported,
}

/// The body of a method: receiver first, then the arguments.
pub type MethodFn = fn(&Value, &mut Args<'_>) -> Result<Value, FuncError>;

/// A method as a template can call it.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Go's name.
    pub name: &'static str,
    /// Parameter types, without the receiver.
    pub params: &'static [Param],
    /// The last parameter takes any number of arguments.
    pub variadic: bool,
    /// The declared result type.
    pub result: Type,
    /// The body.
    pub call: MethodFn,
}

/// A named map or slice type with methods, such as Helm's `common.Values`.
#[derive(Debug)]
pub struct NamedType {
    /// Go's name, with its package.
    pub name: &'static str,
    /// The methods, in any order.
    pub methods: &'static [Method],
}

impl NamedType {
    /// The method of a name.
    #[inline]
    pub fn method(&self, name: &[u8]) -> Option<&'static Method> {
        // Templates can only call what Go exports, and most keys begin with a small letter.
        if !name.first()?.is_ascii_uppercase() {
            return None;
        }
        self.methods.iter().find(|m| m.name.as_bytes() == name)
    }
}

/// A Go struct, pointer or other named value that templates can reach.
///
/// Field access asks for a method of the name first, then for a field, as Go does.
pub trait Object: Any + fmt::Debug + Send + Sync {
    /// Go's name of the type as `%T` prints it, `*` included for pointers.
    fn type_name(&self) -> &'static str;

    /// `reflect.Kind` of the value.
    fn kind(&self) -> Kind {
        Kind::Struct
    }

    /// True of a pointer to nothing.
    fn is_nil(&self) -> bool {
        false
    }

    /// The methods that templates can call.
    fn methods(&self) -> &'static [Method] {
        &[]
    }

    /// An exported field.
    fn field(&self, name: &[u8]) -> Field {
        let _ = name;
        Field::Missing
    }

    /// All fields in declaration order, as `%v` prints a struct without a `String` method.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// What the `String` or `Error` method gives, if the type has one.
    fn to_text(&self) -> Option<Str> {
        None
    }

    /// What an action prints where the `String` method belongs to the pointer: Go calls it for a value
    /// that can be addressed, but not once the value has been passed to a function.
    fn addressed_text(&self) -> Option<Str> {
        self.to_text()
    }

    /// What the `GoString` method gives for `%#v`, if the type has one.
    fn to_go_text(&self) -> Option<Str> {
        None
    }

    /// What `encoding/json` makes of it, as plain values; `None` where it refuses the type.
    fn to_json(&self) -> Option<Value> {
        Some(Value::Map(crate::Map::from_entries(
            self.fields().into_iter().map(|(k, v)| (Str::from_static(k), v)),
        )))
    }

    /// The fields that `encoding/json` writes, in its order, where that is not the order of the names;
    /// asked before [`Object::to_json`].
    fn json_fields(&self) -> Option<Vec<(Str, Value)>> {
        None
    }

    /// What goyaml v3 makes of it (`toYamlPretty`): plain values, keys in declaration order.
    fn to_yaml_pretty(&self) -> Option<Vec<(Str, Value)>> {
        None
    }

    /// A deep copy by reflection (`deepCopy`), in which the fields that are not exported are empty;
    /// `None` where there are none, so that the object itself can serve as the copy.
    fn exported_copy(&self) -> Option<Value> {
        None
    }

    /// Go's `==` and `reflect.DeepEqual` with another object of the same type.
    fn equals(&self, other: &dyn Object) -> bool {
        let _ = other;
        false
    }
}

pub(crate) fn downcast<T: Object>(object: &dyn Object) -> Option<&T> {
    (object as &dyn Any).downcast_ref()
}
