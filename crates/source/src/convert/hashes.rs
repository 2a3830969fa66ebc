//! The formulas by which flags, rules and layers draw.

use flagstaff_flags::{Allocation, Formula, Hash, Otherwise, Percent, Rule, Serve, VariantId, Variants};

use super::Conversion;
use crate::document::{HashTable, LeftOut, RuleTable, Weights};

/// How a flag draws, on the way to its rules.
pub(super) struct Drawing {
    pub(super) variants: Variants,
    pub(super) hash: Option<Hash>,
    /// The order in which variants lie, where one is written.
    order: Option<Vec<VariantId>>,
    /// What stands for names that are not written.
    name: String,
}

impl Conversion {
    /// How a flag draws. `name` is its salt.
    pub(super) fn drawing(&mut self, variants: Variants, name: &str, table: Option<&HashTable>) -> Drawing {
        let (hash, order) = match table {
            Some(table) => self.hash(&["hash"], table, name, &variants, None),
            None => (None, None),
        };
        let variants = match &order {
            Some(order) if variants.are_named() => variants.lying_in(order),
            _ => variants,
        };
        let hash = hash.filter(|hash| !hash.is_default());
        Drawing { variants, hash, order, name: name.into() }
    }

    /// A formula, and the order in which variants lie. `among` are the variants that are drawn, where they are not the flag's.
    fn hash(
        &mut self,
        at: &[&str],
        table: &HashTable,
        name: &str,
        variants: &Variants,
        among: Option<&[Allocation]>,
    ) -> (Option<Hash>, Option<Vec<VariantId>>) {
        let Some(hash) = self.formula(at, table, name) else {
            return (None, None);
        };
        let order = table.order.as_ref().and_then(|names| self.order(at, names, variants, among));
        let off_and_on = among.is_none() && !variants.are_named();
        let on_last = off_and_on && order.as_deref().and_then(<[_]>::first) == Some(&VariantId::OFF);
        (Some(if on_last { hash.with_on_last() } else { hash }), order)
    }

    /// A formula by itself.
    pub(super) fn formula(&mut self, at: &[&str], table: &HashTable, name: &str) -> Option<Hash> {
        if self.lost(at) {
            return None;
        }
        let Some(settings) = table.settings() else {
            self.wrong(at, "the hash does not name a formula", "add as = \"unleash\", or as = \"sha256\"");
            return None;
        };
        match Hash::new(&settings, name) {
            Ok(hash) => Some(hash),
            Err(error) => {
                let key = (!error.missing).then_some(error.key);
                let at: Vec<_> = at.iter().copied().chain(key).collect();
                self.wrong(&at, error.message, error.help);
                None
            }
        }
    }

    /// The variants by their names: every one that is drawn, once.
    fn order(
        &mut self,
        at: &[&str],
        names: &[String],
        variants: &Variants,
        among: Option<&[Allocation]>,
    ) -> Option<Vec<VariantId>> {
        if self.lost(&["variants"]) {
            return None;
        }
        let drawn: Vec<VariantId> = match among {
            Some(ranges) => ranges.iter().map(|range| range.variant).collect(),
            None if variants.are_named() => variants.weights().map(|(variant, _)| variant).collect(),
            None => vec![VariantId::ON, VariantId::OFF],
        };
        let order: Vec<_> = names.iter().filter_map(|name| variants.find(name)).collect();
        let each_once = drawn.iter().all(|one| order.iter().filter(|other| *other == one).count() == 1);
        if each_once && names.len() == drawn.len() {
            return Some(order);
        }
        let written: Vec<_> = drawn.iter().map(|variant| format!("\"{}\"", variants.name(*variant))).collect();
        let at: Vec<_> = at.iter().copied().chain(["order"]).collect();
        let help =
            format!("write each variant once, in the order in which they lie: order = [{}]", written.join(", "));
        self.wrong(&at, "`order` does not name every variant once", help);
        None
    }

    /// Other formulas do not hash the flag's salt.
    pub(super) fn no_salt_beside(&mut self, drawing: &Drawing, salt: bool) {
        if salt && drawing.hash.as_ref().is_some_and(|hash| hash.formula() != Formula::Sha256) {
            let help = "take out `salt`; what is hashed stands in `hash`";
            self.wrong(&["salt"], "`salt` counts for sha256 alone, and `hash` names another formula", help);
        }
    }

    pub(super) fn rules(&mut self, rules: Vec<RuleTable>, drawing: &Drawing) -> Vec<Rule> {
        rules.into_iter().enumerate().map(|(i, rule)| self.rule(&i.to_string(), rule, drawing)).collect()
    }

    /// A rule with what it draws with. One that cannot be kept keeps its place, so that paths to the others stay right.
    fn rule(&mut self, i: &str, table: RuleTable, flag: &Drawing) -> Rule {
        let serve = self.serve(i, &table, &flag.variants).unwrap_or(Serve::OFF);
        let own = table.variants.as_ref().map(|weights| self.rule_ranges(i, weights, &flag.variants));
        let otherwise = self.otherwise(i, &table);
        let mut rule = Rule { otherwise, ..Rule::new(table.r#if.0, serve) };
        let mut order = flag.order.clone();
        if let Some(hash) = &table.hash {
            let at = ["rules", i, "hash"];
            if table.serve.is_some() && !self.lost(&["rules", i]) {
                self.wrong(&at, "the rule serves one variant, so nothing is drawn", "take out `hash`");
            }
            (rule.hash, order) = self.hash(&at, hash, &flag.name, &flag.variants, own.as_deref());
        }
        let flags_own = || flag.variants.are_named().then(|| flag.variants.ranges().to_vec());
        let as_the_flag = own.is_none() && rule.hash.is_none();
        rule.ranges = own.or_else(flags_own).filter(|_| !as_the_flag).map(|ranges| {
            let listed: Vec<_> = ranges.iter().map(|range| range.variant).collect();
            Allocation::in_order(&ranges, order.as_deref().unwrap_or(&listed))
        });
        rule
    }

    /// What those get whom the rule's share leaves out.
    fn otherwise(&mut self, i: &str, rule: &RuleTable) -> Otherwise {
        let Some(LeftOut::Next) = rule.otherwise else {
            return Otherwise::Control;
        };
        if rule.serve.is_some() && !self.lost(&["rules", i]) {
            let help = "take out `otherwise`, or write percent = 20 instead of `serve`";
            self.wrong(
                &["rules", i, "otherwise"],
                "the rule serves everybody whom it is for, so nobody is left",
                help,
            );
        }
        Otherwise::Next
    }

    fn serve(&mut self, i: &str, rule: &RuleTable, variants: &Variants) -> Option<Serve> {
        let at = ["rules", i];
        match (&rule.serve, rule.percent, &rule.variants) {
            (Some(name), None, None) => self.variant(&["rules", i, "serve"], name, variants).map(Serve::Variant),
            (None, Some(share), _) => Some(Serve::Percent(share.0)),
            _ if self.lost(&at) => None,
            (None, None, Some(_)) => Some(Serve::Percent(Percent::ALL)),
            (None, None, None) => {
                self.wrong(&at, "the rule does not say what is served", "add serve = \"on\", or percent = 20");
                None
            }
            (Some(_), share, _) => {
                let other = if share.is_some() { "percent" } else { "variants" };
                self.wrong(&at, format!("the rule says `serve` and `{other}`"), "keep one of them");
                None
            }
        }
    }

    /// Where the variants of a rule lie, by the flag's own variants.
    fn rule_ranges(&mut self, i: &str, weights: &Weights, variants: &Variants) -> Vec<Allocation> {
        let written = weights.0.ranges().iter();
        let found = written.filter_map(|range| {
            let name = weights.0.name(range.variant);
            Some(Allocation { variant: self.variant(&["rules", i, "variants", name], name, variants)?, ..*range })
        });
        found.collect()
    }
}
