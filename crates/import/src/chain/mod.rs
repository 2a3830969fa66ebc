//! A chain of steps, as most systems decide: the first step that is for a person and gives something wins.
//!
//! A step may draw, and give nothing to those outside its part: they go on to the next step. A rule of the flag file says so where its
//! part is the first one of the number (`otherwise = "next"`). Other steps that go on are unfolded here: those who would be in a later
//! step too get a rule of their own in front, in which both draws are one. That is exact where both draws take the same number, and where
//! a later step does not draw.

mod lower;
mod parts;
mod simplify;
#[cfg(test)]
mod tests;
mod unfold;
mod without_id;

pub(crate) use parts::{Draw, Get, Part, Pick};
pub(crate) use simplify::simplified;

use crate::input::Node;
use crate::model::{Condition, Share};

/// One thing that a flag can be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arm {
    /// Its name.
    pub(crate) name: String,
    /// What it means to code; none where that is its name.
    pub(crate) value: Option<Node>,
}

/// A step: for whom it is, and what they get.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) condition: Condition,
    pub(crate) get: Get,
    /// A comment above the rule.
    pub(crate) comment: Option<String>,
}

impl Step {
    pub(crate) fn new(condition: Condition, get: Get) -> Self {
        Self { condition: simplified(condition), get, comment: None }
    }
}

/// How a flag of the old system decides.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chain {
    /// All it can be.
    pub(crate) arms: Vec<Arm>,
    /// What those get for whom no id is known, and those whom no step gives anything.
    pub(crate) control: usize,
    /// What a second draw gives, where the system has one: arms and their weights, which make 100 percent.
    pub(crate) drawn: Vec<(usize, Share)>,
    /// The steps, in order. What the last ones leave over is the control.
    pub(crate) steps: Vec<Step>,
}

/// The arm of `on` where the arms are [`on_and_off`].
pub(crate) const ON: usize = 1;
/// The arm of `off` where the arms are [`on_and_off`].
pub(crate) const OFF: usize = 0;

/// The arms of a flag that is true or false.
pub(crate) fn on_and_off() -> Vec<Arm> {
    let arm = |name: &str, truth| Arm { name: name.into(), value: Some(Node::Bool(truth)) };
    vec![arm("off", false), arm("on", true)]
}

/// Arms for values, in the order in which they are first asked for: one for each value.
#[derive(Debug, Default)]
pub(crate) struct Arms(pub(crate) Vec<Arm>);

impl Arms {
    /// The arm of a value. Its name is made of the value where that is short and plain.
    pub(crate) fn of(&mut self, value: &Node) -> usize {
        if let Some(place) = self.0.iter().position(|arm| arm.value.as_ref() == Some(value)) {
            return place;
        }
        let name = match value {
            Node::Bool(true) => "on".into(),
            Node::Bool(false) => "off".into(),
            other => other.word().filter(|word| is_plain(word)).unwrap_or_else(|| format!("v{}", self.0.len() + 1)),
        };
        self.named(&name, value.clone())
    }

    /// A new arm of this name, or of one like it where another has it.
    pub(crate) fn named(&mut self, name: &str, value: Node) -> usize {
        let is_taken = |name: &str| self.0.iter().any(|arm| arm.name == name);
        let mut given = name.to_owned();
        let mut count = 2_usize;
        while is_taken(&given) {
            given = format!("{name}-{count}");
            count += 1;
        }
        self.0.push(Arm { name: given, value: Some(value) });
        self.0.len() - 1
    }
}

/// Whether a text can be the name of a variant. `off` is a variant of its own.
fn is_plain(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=40).contains(&text.len()) && text.bytes().all(fits) && !["on", "off"].contains(&text)
}
