//! Values with parts, walked with an explicit stack.

use super::Pointers;
use super::printer::Printer;
use crate::map::Entries;
use crate::path::Path;
use crate::{FuncError, Kind, List, Map, Object, Value};

enum Frame {
    List { list: List, next: usize },
    Map { entries: Entries, next: usize, id: usize },
    Struct { fields: Vec<(&'static str, Value)>, next: usize },
}

impl Printer<'_> {
    /// Prints any value. At the `top`, pointers to structs are followed.
    pub(super) fn print_value(
        &mut self,
        value: &Value,
        verb: char,
        top: bool,
    ) -> Result<(), FuncError> {
        if self.print_basic(value, verb, top)? {
            return Ok(());
        }
        let mut path = Path::default();
        let mut stack = Vec::new();
        stack.extend(self.open(value, top));
        while let Some(frame) = stack.last_mut() {
            self.charge()?;
            let Some(item) = self.step(frame, verb) else {
                self.close(frame, &mut path);
                stack.pop();
                continue;
            };
            if self.print_basic(item, verb, false)? {
                continue;
            }
            if let Some(inner) = self.open(item, false) {
                if let Frame::Map { id, .. } = inner {
                    path.enter(id, stack.len())?;
                }
                stack.push(inner);
            }
        }
        Ok(())
    }

    fn close(&mut self, frame: &Frame, path: &mut Path) {
        let struct_like = matches!(frame, Frame::Struct { .. }) || self.flags.sharp_v;
        self.out.push(if struct_like { b'}' } else { b']' });
        if let Frame::Map { id, .. } = frame {
            path.leave(*id);
        }
    }

    /// Writes the beginning of a container; `None` where that was all.
    fn open(&mut self, value: &Value, top: bool) -> Option<Frame> {
        match value {
            Value::List(list) => self.open_list(list, value),
            Value::Map(map) => self.open_map(map, value),
            Value::Object(o) => match Object::kind(o.as_ref()) {
                Kind::Struct | Kind::Ptr => Some(self.open_struct(o.as_ref(), top)),
                _ => match o.to_json()? {
                    Value::List(list) => self.open_list(&list, value),
                    Value::Map(map) => self.open_map(&map, value),
                    _ => None,
                },
            },
            _ => None,
        }
    }

    fn open_list(&mut self, list: &List, typed: &Value) -> Option<Frame> {
        self.open_brace(typed, b"[", list.is_nil())?;
        Some(Frame::List { list: list.clone(), next: 0 })
    }

    fn open_map(&mut self, map: &Map, typed: &Value) -> Option<Frame> {
        self.open_brace(typed, b"map[", map.is_nil())?;
        Some(Frame::Map { entries: map.peek(), next: 0, id: map.id() })
    }

    fn open_brace(&mut self, typed: &Value, plain: &[u8], nil: bool) -> Option<()> {
        if !self.flags.sharp_v {
            self.out.extend_from_slice(plain);
            return Some(());
        }
        self.out.extend_from_slice(typed.type_name().as_bytes());
        if nil {
            self.out.extend_from_slice(b"(nil)");
            return None;
        }
        self.out.push(b'{');
        Some(())
    }

    fn open_struct(&mut self, o: &dyn Object, top: bool) -> Frame {
        let mut name = o.type_name();
        if top && o.kind() == Kind::Ptr {
            if self.pointers == Pointers::Marked {
                self.out.push(b'&');
            }
            name = name.strip_prefix('*').unwrap_or(name);
        }
        if self.flags.sharp_v {
            self.out.extend_from_slice(name.as_bytes());
        }
        self.out.push(b'{');
        Frame::Struct { fields: o.fields(), next: 0 }
    }

    /// Writes what stands before the frame's next item.
    fn step<'f>(&mut self, frame: &'f mut Frame, verb: char) -> Option<&'f Value> {
        let separator: &[u8] = if self.flags.sharp_v { b", " } else { b" " };
        let index = frame.advance()?;
        if index > 0 {
            self.out.extend_from_slice(separator);
        }
        match frame {
            Frame::List { list, .. } => list.get(index),
            Frame::Map { entries, .. } => {
                let (key, item) = entries.get(index)?;
                self.print_string(key.as_bytes(), verb);
                self.out.push(b':');
                Some(item)
            }
            Frame::Struct { fields, .. } => {
                let (name, item) = fields.get(index)?;
                if self.flags.plus_v || self.flags.sharp_v {
                    self.out.extend_from_slice(name.as_bytes());
                    self.out.push(b':');
                }
                Some(item)
            }
        }
    }
}

impl Frame {
    /// The index of the next item, if there is one.
    fn advance(&mut self) -> Option<usize> {
        let (next, len) = match self {
            Frame::List { list, next } => (next, list.len()),
            Frame::Map { entries, next, .. } => (next, entries.len()),
            Frame::Struct { fields, next } => (next, fields.len()),
        };
        let index = *next;
        *next += 1;
        (index < len).then_some(index)
    }
}
