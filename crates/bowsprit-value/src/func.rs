//! What a template function is, and what it sees of a call.

use crate::{Host, List, Map, Meter, Str, Type, Value};
use std::fmt;

/// A parameter's type.
pub type Param = Type;

/// A function of its arguments alone.
pub type PureFn = fn(&mut Args<'_>) -> Result<Value, FuncError>;

/// The body of a function; its type says what it can touch.
#[derive(Clone, Copy)]
pub enum FuncImpl {
    /// A function of its arguments alone. If it writes to a map among them, or leaves anything else behind
    /// than its result, it tells the meter's [`History`](crate::History).
    Pure(PureFn),
    /// A function that also asks the host: for the time, randomness or the cluster.
    Host(fn(&mut Args<'_>, &dyn Host) -> Result<Value, FuncError>),
    /// A function that the engine itself carries out, by number: see the engine's table.
    Engine(u16),
}

impl fmt::Debug for FuncImpl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FuncImpl::Pure(_) => "Pure",
            FuncImpl::Host(_) => "Host",
            FuncImpl::Engine(_) => "Engine",
        })
    }
}

/// A function as templates can call it: name, Go signature, body.
///
/// The engine checks the number and types of the arguments against the signature, with Go's error
/// texts, before it calls the body.
#[derive(Clone, Copy, Debug)]
pub struct Func {
    /// The name in templates.
    pub name: &'static str,
    /// The parameter types; the last one repeats if `variadic`.
    pub params: &'static [Param],
    /// The last parameter takes any number of arguments.
    pub variadic: bool,
    /// The declared result type.
    pub result: Type,
    /// The body.
    pub body: FuncImpl,
}

impl Func {
    /// A pure function of fixed arity.
    pub const fn pure(
        name: &'static str,
        params: &'static [Param],
        result: Type,
        body: PureFn,
    ) -> Func {
        Func { name, params, variadic: false, result, body: FuncImpl::Pure(body) }
    }

    /// A pure function whose last parameter repeats.
    pub const fn variadic(
        name: &'static str,
        params: &'static [Param],
        result: Type,
        body: PureFn,
    ) -> Func {
        Func { name, params, variadic: true, result, body: FuncImpl::Pure(body) }
    }

    /// A function that asks the host.
    pub const fn host(
        name: &'static str,
        params: &'static [Param],
        result: Type,
        body: fn(&mut Args<'_>, &dyn Host) -> Result<Value, FuncError>,
    ) -> Func {
        Func { name, params, variadic: false, result, body: FuncImpl::Host(body) }
    }
}

static EMPTY: Str = Str::from_static("");

/// The arguments of one call, already of the declared types, and the meter that big results are
/// charged to.
///
/// The typed accessors give the type's zero value where an argument is absent or, against the
/// declaration, of another type; so no call can panic.
#[derive(Debug)]
pub struct Args<'a> {
    values: &'a mut [Value],
    meter: &'a Meter,
}

impl<'a> Args<'a> {
    /// Wraps arguments.
    pub fn new(values: &'a mut [Value], meter: &'a Meter) -> Args<'a> {
        Args { values, meter }
    }

    /// Number of arguments.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True for a call without arguments.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// An argument; nil where it is absent.
    pub fn get(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Nil)
    }

    /// Moves an argument out, leaving nil.
    pub fn take(&mut self, index: usize) -> Value {
        self.values.get_mut(index).map(std::mem::take).unwrap_or_default()
    }

    /// The arguments from an index on.
    pub fn rest(&self, from: usize) -> &[Value] {
        self.values.get(from..).unwrap_or(&[])
    }

    /// A `string` argument.
    pub fn str(&self, index: usize) -> &Str {
        match self.get(index) {
            Value::Str(s) => s,
            _ => &EMPTY,
        }
    }

    /// An integer argument.
    pub fn int(&self, index: usize) -> i64 {
        match self.get(index) {
            Value::Int(_, v) => *v,
            _ => 0,
        }
    }

    /// A `float64` argument.
    pub fn float(&self, index: usize) -> f64 {
        match self.get(index) {
            Value::Float(v) => *v,
            _ => 0.0,
        }
    }

    /// A `bool` argument.
    pub fn bool(&self, index: usize) -> bool {
        matches!(self.get(index), Value::Bool(true))
    }

    /// A map argument; `None` for nil.
    pub fn map(&self, index: usize) -> Option<&Map> {
        self.get(index).as_map()
    }

    /// A list argument; `None` for nil.
    pub fn list(&self, index: usize) -> Option<&List> {
        self.get(index).as_list()
    }

    /// The meters of this run.
    pub fn meter(&self) -> &'a Meter {
        self.meter
    }

    /// Charges bytes that the function is about to allocate.
    ///
    /// # Errors
    ///
    /// Fails with a limit error when the run has used up what it may allocate.
    pub fn charge(&self, bytes: usize) -> Result<(), FuncError> {
        self.meter.charge_bytes(bytes)
    }
}

/// Why a function failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FuncErrorKind {
    /// The function returned an error, or Go would have panicked inside it.
    Plain,
    /// `fail` or `required` stopped the render with the chart author's message.
    Fail,
    /// A limit of the run was reached.
    Limit,
    /// The host refused or failed.
    Host,
    /// Templates can't call a method with such results; the text stands for itself.
    Signature,
}

/// The error of a function: the text that stands after `error calling NAME: `.
#[derive(Clone, PartialEq, Eq)]
pub struct FuncError(Box<(FuncErrorKind, Str)>);

impl FuncError {
    /// A plain error with Go's text.
    #[cold]
    pub fn new(text: impl Into<Str>) -> FuncError {
        FuncError(Box::new((FuncErrorKind::Plain, text.into())))
    }

    /// An error of a given kind.
    #[cold]
    pub fn with_kind(kind: FuncErrorKind, text: impl Into<Str>) -> FuncError {
        FuncError(Box::new((kind, text.into())))
    }

    /// The kind.
    pub fn kind(&self) -> FuncErrorKind {
        self.0.0
    }

    /// The text.
    pub fn text(&self) -> &Str {
        &self.0.1
    }
}

impl fmt::Debug for FuncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FuncError({:?}, {:?})", self.kind(), self.text())
    }
}

impl fmt::Display for FuncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.text(), f)
    }
}

impl std::error::Error for FuncError {}
