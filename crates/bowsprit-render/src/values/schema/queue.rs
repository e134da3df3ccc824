//! The order in which schemas wait to be compiled.

use super::Fault;
use super::compile::{Compiler, Keyword};
use super::drafts::Draft;
use super::validate::Budget;

impl Compiler<'_, '_> {
    /// Puts what is below into the queue in the library's order, which decides on the schema whose
    /// fault is reported. Gives the keywords that refer to schemas by what is in scope.
    pub(super) fn queue_children(
        &mut self,
        draft: Draft,
        budget: &Budget,
    ) -> Result<Vec<Keyword>, Fault> {
        let applies = self.dialect.has("applicator");
        let mut references = Vec::new();
        if applies {
            self.queue_oldest_children(draft);
            self.queue_conditions(draft);
        }
        if draft >= Draft::D2019 {
            references.extend(self.reference("$recursiveRef", budget)?.map(Keyword::RecursiveRef));
            if applies {
                self.members("dependentSchemas");
            }
            let unevaluated = if draft == Draft::D2019 { "applicator" } else { "unevaluated" };
            if self.dialect.has(unevaluated) {
                self.property("unevaluatedItems");
                self.property("unevaluatedProperties");
            }
        }
        if draft >= Draft::D2020 {
            references.extend(self.dynamic_reference(budget)?);
            if applies {
                self.items("prefixItems");
                self.property("items");
            }
        }
        Ok(references)
    }

    fn queue_oldest_children(&mut self, draft: Draft) {
        for name in ["allOf", "anyOf", "oneOf"] {
            self.items(name);
        }
        self.property("not");
        if draft < Draft::D2020 {
            if self.array("items").is_some() {
                self.items("items");
                self.additional("additionalItems");
            } else {
                self.property("items");
            }
        }
        self.members("properties");
        self.members("patternProperties");
        self.additional("additionalProperties");
        self.dependencies();
    }

    fn queue_conditions(&mut self, draft: Draft) {
        if draft >= Draft::D6 {
            self.property("contains");
            self.property("propertyNames");
        }
        if draft >= Draft::D7 {
            self.condition();
        }
    }
}
