//! `targeting`: what each branch of `if` gives.

use super::Definition;
use super::fractional::Fractional;
use super::logic::{condition, resolved};
use crate::input::Node;
use crate::model::{Condition, Note};

/// More branches are not read.
const MOST_BRANCHES: usize = 500;
/// Branches within branches are not read deeper.
const DEEPEST: usize = 60;

/// For whom, and what they get.
pub(super) struct Branch {
    pub(super) condition: Condition,
    pub(super) leaf: Leaf,
}

/// What a branch gives.
pub(super) enum Leaf {
    Default,
    Variant(String),
    Fractional(Fractional),
    Unknown(String),
}

/// The branches of an expression; the first whose condition holds decides, and one of them always does.
pub(super) fn branches(definition: &Definition<'_>, flag: &str, node: &Node, notes: &mut Vec<Note>) -> Vec<Branch> {
    let mut walk = Walk { definition, flag, notes, branches: Vec::new() };
    walk.follow(node, &Condition::Always, 0);
    walk.branches
}

struct Walk<'a> {
    definition: &'a Definition<'a>,
    flag: &'a str,
    notes: &'a mut Vec<Note>,
    branches: Vec<Branch>,
}

impl Walk<'_> {
    fn follow(&mut self, node: &Node, guard: &Condition, depth: usize) {
        let Some(node) = resolved(self.definition, node).filter(|_| depth < DEEPEST) else {
            return self.push(guard, Leaf::Unknown("an evaluator is missing, or names itself".into()));
        };
        match node.entries() {
            [(operator, arguments)] if operator == "if" || operator == "?:" => self.branch(arguments, guard, depth),
            [(operator, arguments)] if operator == "fractional" => {
                let draw = Fractional::read(self.definition, self.flag, arguments.items());
                self.push(guard, draw.map_or_else(Leaf::Unknown, Leaf::Fractional));
            }
            [_] => self.truth(node, guard),
            _ => self.push(guard, leaf(node)),
        }
    }

    fn push(&mut self, guard: &Condition, leaf: Leaf) {
        if self.branches.len() < MOST_BRANCHES {
            self.branches.push(Branch { condition: guard.clone(), leaf });
        } else {
            let text = format!("Its targeting has more than {MOST_BRANCHES} branches; the others are left out.");
            Note::add(self.notes, Note::lost(text));
        }
    }

    fn branch(&mut self, arguments: &Node, guard: &Condition, depth: usize) {
        let mut rest = arguments.items();
        loop {
            match rest {
                [test, then, more @ ..] => {
                    let holds = condition(self.definition, test, self.notes);
                    let guard = guard.clone().and(holds);
                    if guard != Condition::Never {
                        self.follow(then, &guard, depth + 1);
                    }
                    rest = more;
                }
                [otherwise] => return self.follow(otherwise, guard, depth + 1),
                [] => return self.push(guard, Leaf::Default),
            }
        }
    }

    /// An expression that is true or false names the variants `true` and `false`.
    fn truth(&mut self, node: &Node, guard: &Condition) {
        let holds = condition(self.definition, node, self.notes);
        self.push(&guard.clone().and(holds), Leaf::Variant("true".into()));
        self.push(guard, Leaf::Variant("false".into()));
    }
}

fn leaf(node: &Node) -> Leaf {
    match node {
        Node::Null => Leaf::Default,
        Node::Text(name) => Leaf::Variant(name.clone()),
        Node::Bool(truth) => Leaf::Variant(truth.to_string()),
        _ => Leaf::Unknown("it gives neither the name of a variant nor a draw".into()),
    }
}
