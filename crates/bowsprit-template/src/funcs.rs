//! The table of functions that a template text can call.

use bowsprit_value::{Func, FuncImpl, Type};
use std::fmt;

/// The functions that the machine itself carries out, by the number in [`FuncImpl::Engine`].
pub(crate) mod engine {
    pub(crate) const AND: u16 = 0;
    pub(crate) const OR: u16 = 1;
    pub(crate) const NOT: u16 = 2;
    pub(crate) const EQ: u16 = 3;
    pub(crate) const NE: u16 = 4;
    pub(crate) const LT: u16 = 5;
    pub(crate) const LE: u16 = 6;
    pub(crate) const GT: u16 = 7;
    pub(crate) const GE: u16 = 8;
    pub(crate) const INDEX: u16 = 9;
    pub(crate) const SLICE: u16 = 10;
    pub(crate) const LEN: u16 = 11;
    pub(crate) const PRINT: u16 = 12;
    pub(crate) const PRINTF: u16 = 13;
    pub(crate) const PRINTLN: u16 = 14;
    pub(crate) const HTML: u16 = 15;
    pub(crate) const JS: u16 = 16;
    pub(crate) const URLQUERY: u16 = 17;
    pub(crate) const CALL: u16 = 18;
    pub(crate) const INCLUDE: u16 = 19;
    pub(crate) const TPL: u16 = 20;
}

const REFLECT: &[Type] = &[Type::Reflect];
const REFLECT2: &[Type] = &[Type::Reflect, Type::Reflect];
const ANYS: &[Type] = &[Type::Any];

const fn builtin(
    name: &'static str,
    params: &'static [Type],
    variadic: bool,
    result: Type,
    number: u16,
) -> Func {
    Func { name, params, variadic, result, body: FuncImpl::Engine(number) }
}

/// Go's own functions.
static BUILTINS: &[Func] = &[
    builtin("and", REFLECT2, true, Type::Reflect, engine::AND),
    builtin("or", REFLECT2, true, Type::Reflect, engine::OR),
    builtin("not", REFLECT, false, Type::Bool, engine::NOT),
    builtin("eq", REFLECT2, true, Type::Bool, engine::EQ),
    builtin("ne", REFLECT2, false, Type::Bool, engine::NE),
    builtin("lt", REFLECT2, false, Type::Bool, engine::LT),
    builtin("le", REFLECT2, false, Type::Bool, engine::LE),
    builtin("gt", REFLECT2, false, Type::Bool, engine::GT),
    builtin("ge", REFLECT2, false, Type::Bool, engine::GE),
    builtin("index", REFLECT2, true, Type::Reflect, engine::INDEX),
    builtin("slice", REFLECT2, true, Type::Reflect, engine::SLICE),
    builtin("len", REFLECT, false, Type::INT, engine::LEN),
    builtin("print", ANYS, true, Type::String, engine::PRINT),
    builtin("printf", &[Type::String, Type::Any], true, Type::String, engine::PRINTF),
    builtin("println", ANYS, true, Type::String, engine::PRINTLN),
    builtin("html", ANYS, true, Type::String, engine::HTML),
    builtin("js", ANYS, true, Type::String, engine::JS),
    builtin("urlquery", ANYS, true, Type::String, engine::URLQUERY),
    builtin("call", REFLECT2, true, Type::Reflect, engine::CALL),
];

/// `include NAME DATA`: runs a named template and returns its output. Not Go's; hosts add it by will.
pub static INCLUDE: Func =
    builtin("include", &[Type::String, Type::Any], false, Type::String, engine::INCLUDE);

/// `tpl TEXT DATA`: compiles a text and runs it, with its own definitions over the present ones.
pub static TPL: Func = builtin("tpl", &[Type::String, Type::Any], false, Type::String, engine::TPL);

/// When a function stops evaluating its arguments: `and` at false, `or` at true.
pub(crate) fn short_circuits(func: &Func) -> Option<bool> {
    match func.body {
        FuncImpl::Engine(engine::AND) => Some(false),
        FuncImpl::Engine(engine::OR) => Some(true),
        _ => None,
    }
}

/// The type of an argument's place.
pub(crate) fn param(func: &Func, index: usize) -> Type {
    let last = func.params.len().saturating_sub(1);
    func.params.get(index.min(last)).copied().unwrap_or(Type::Any)
}

/// What a template text can call, by name. Built once, shared by everything compiled against it.
#[derive(Clone, Default)]
pub struct Functions {
    list: Vec<&'static Func>,
    /// Numbers from 1, at the places that the names' hashes give; 0 where there is nothing. A power of two
    /// long, and at most a quarter full: nearly every lookup takes one comparison.
    table: Vec<u16>,
}

/// About as many as charts can call.
const EXPECTED: usize = 256;

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions").field("len", &self.list.len()).finish()
    }
}

/// Mixes the first eight bytes, the last byte and the length of a name; names are the program's own.
fn hash(name: &[u8]) -> usize {
    let head = match name.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => name.iter().fold(0, |head, b| (head << 8) | u64::from(*b)),
    };
    let last = u64::from(name.last().copied().unwrap_or_default());
    let mixed = (head ^ (last << 32) ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize
}

impl Functions {
    /// Go's own functions.
    pub fn builtins() -> Functions {
        let table = vec![0; EXPECTED * 4];
        let mut functions = Functions { list: Vec::with_capacity(EXPECTED), table };
        functions.extend(BUILTINS);
        functions
    }

    /// Adds a function, in place of one of the same name.
    pub fn add(&mut self, func: &'static Func) {
        if let Some(number) = self.number(func.name.as_bytes()) {
            if let Some(slot) = self.list.get_mut(usize::from(number)) {
                *slot = func;
            }
            return;
        }
        if self.list.len() >= usize::from(u16::MAX - 1) {
            return;
        }
        self.list.push(func);
        if self.table.len() < self.list.len() * 4 {
            self.table = vec![0; (self.list.len() * 8).next_power_of_two()];
            (1..self.list.len()).for_each(|number| self.enter(number));
        }
        self.enter(self.list.len());
    }

    /// Enters the function with this number, counted from 1.
    fn enter(&mut self, number: usize) {
        let Some(func) = self.list.get(number - 1) else { return };
        let mask = self.table.len() - 1;
        let mut at = hash(func.name.as_bytes()) & mask;
        while self.table.get(at).is_some_and(|taken| *taken > 0) {
            at = (at + 1) & mask;
        }
        if let Some(slot) = self.table.get_mut(at) {
            *slot = number as u16;
        }
    }

    /// Adds several functions.
    pub fn extend(&mut self, funcs: impl IntoIterator<Item = &'static Func>) {
        for func in funcs {
            self.add(func);
        }
    }

    /// All functions, in the order of addition.
    pub fn iter(&self) -> impl Iterator<Item = &'static Func> {
        self.list.iter().copied()
    }

    /// A number that other tables of functions have not, for what was compiled against this one and is kept.
    pub fn fingerprint(&self) -> u64 {
        let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.list.iter().fold(0xcbf2_9ce4_8422_2325, |sum, func| {
            let shape = [func.params.len() as u8, func.variadic.into(), 0xff];
            func.name.bytes().chain(shape).fold(sum, mix)
        })
    }

    pub(crate) fn number(&self, name: &[u8]) -> Option<u16> {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = hash(name) & mask;
        loop {
            let number = self.table.get(at)?.checked_sub(1)?;
            if self.list.get(usize::from(number))?.name.as_bytes() == name {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
    }

    pub(crate) fn get(&self, number: u16) -> Option<&'static Func> {
        self.list.get(usize::from(number)).copied()
    }
}
