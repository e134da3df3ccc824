//! What keywords are about.

use super::compile::{Keyword, types};

impl Keyword {
    /// The types of values that the keyword says something about, as bits.
    pub(super) fn concerns(&self) -> u8 {
        use Keyword as K;
        match self {
            K::MinProperties(_)
            | K::MaxProperties(_)
            | K::Required(_)
            | K::Dependencies(_)
            | K::Properties { .. }
            | K::PropertyNames(_)
            | K::DependentSchemas(_)
            | K::DependentRequired(_)
            | K::UnevaluatedProperties(_) => types::OBJECT,
            K::MinItems(_)
            | K::MaxItems(_)
            | K::UniqueItems
            | K::Items { .. }
            | K::Contains { .. }
            | K::UnevaluatedItems(_) => types::ARRAY,
            K::MinLength(_) | K::MaxLength(_) | K::Pattern(..) => types::STRING,
            K::Minimum(_)
            | K::Maximum(_)
            | K::ExclusiveMinimum(_)
            | K::ExclusiveMaximum(_)
            | K::MultipleOf(_) => types::NUMBER,
            _ => u8::MAX,
        }
    }
}
