//! `[1]`, `[-1]`, `[1:5:2]`, `[0,2]`, `[*]`.

/// What stands between brackets.
#[derive(Clone, Debug)]
pub(super) enum Subscript {
    /// `*`.
    All,
    /// Numbers and slices, one after the other.
    Parts(Vec<Part>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    One(i64),
    All,
    Slice { from: Option<i64>, to: Option<i64>, step: i64 },
}

impl Subscript {
    pub(super) fn parse(text: &str) -> Result<Subscript, String> {
        let members: Vec<&str> = text.split(',').collect();
        if let [one] = members.as_slice() {
            return Ok(match part(one)? {
                Part::All => Subscript::All,
                part => Subscript::Parts(vec![part]),
            });
        }
        let parts = members.iter().enumerate().map(|(number, member)| {
            let failed = |text: &str| format!("error in union member {number}: {text}");
            match part(member) {
                Ok(Part::All) => Err(failed("wildcard cannot be used in union")),
                Ok(part) => Ok(part),
                Err(text) => Err(failed(&text)),
            }
        });
        parts.collect::<Result<_, _>>().map(Subscript::Parts)
    }

    /// The places of a list of some length that are meant.
    pub(super) fn places(&self, len: usize) -> Vec<usize> {
        match self {
            Subscript::All => (0..len).collect(),
            Subscript::Parts(parts) => parts.iter().flat_map(|part| part.places(len)).collect(),
        }
    }

    pub(super) fn is_all(&self) -> bool {
        matches!(self, Subscript::All)
    }
}

fn part(text: &str) -> Result<Part, String> {
    let text = text.trim();
    if text == "*" {
        return Ok(Part::All);
    }
    let numbers: Vec<&str> = text.split(':').map(str::trim).collect();
    let number = |text: &str| match text {
        "" => Ok(None),
        text => match text.strip_prefix('+').unwrap_or(text).parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err("non-integer array index".to_owned()),
        },
    };
    match *numbers.as_slice() {
        [one] => match number(one)? {
            Some(one) => Ok(Part::One(one)),
            None => Err("array index missing".to_owned()),
        },
        [from, to] => Ok(Part::Slice { from: number(from)?, to: number(to)?, step: 1 }),
        [from, to, step] => {
            let (from, to, step) = (number(from)?, number(to)?, number(step)?.unwrap_or(1));
            if step == 0 {
                return Err("array index step value must be non-zero".to_owned());
            }
            Ok(Part::Slice { from, to, step })
        }
        _ => Err("malformed array index, too many colons".to_owned()),
    }
}

impl Part {
    fn places(self, len: usize) -> Vec<usize> {
        let count = i64::try_from(len).unwrap_or(i64::MAX);
        let from_end = |n: i64| if n < 0 { n.saturating_add(count) } else { n };
        let place = |n: i64| usize::try_from(n).ok().filter(|at| *at < len);
        match self {
            Part::All => (0..len).collect(),
            Part::One(one) => place(from_end(one)).into_iter().collect(),
            Part::Slice { from, to, step } if step > 0 => {
                let from = from.map_or(0, from_end).max(0);
                let to = to.map_or(count, from_end).min(count);
                let step = usize::try_from(step).unwrap_or(usize::MAX);
                (from..to.max(from)).step_by(step).filter_map(place).collect()
            }
            Part::Slice { from, to, step } => {
                let mut at = from.map_or(count - 1, from_end).min(count);
                let to = to.map_or(-1, from_end).max(-1);
                let mut places = Vec::new();
                while at > to {
                    places.extend(place(at));
                    at = at.saturating_add(step);
                }
                places
            }
        }
    }
}
