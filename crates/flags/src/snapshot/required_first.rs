//! The order in which flags are decided: those that others require come first.

use super::links::Link;
use crate::FlagId;

/// All flags, required ones first, and each circle of `requires`, once.
pub(super) fn required_first(links: &[Link]) -> (Vec<FlagId>, Vec<Vec<FlagId>>) {
    let mut walk = Walk {
        links,
        visited: vec![Visit::New; links.len()],
        path: Vec::new(),
        order: Vec::new(),
        cycles: Vec::new(),
    };
    for (_, id) in links.iter().zip(0..) {
        walk.visit(FlagId(id));
    }
    (walk.order, walk.cycles)
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    New,
    Open,
    Done,
}

/// A search, depth first, without recursion: a file may chain thousands of flags.
struct Walk<'a> {
    links: &'a [Link],
    visited: Vec<Visit>,
    path: Vec<(FlagId, usize)>,
    order: Vec<FlagId>,
    cycles: Vec<Vec<FlagId>>,
}

impl Walk<'_> {
    fn visit(&mut self, root: FlagId) {
        self.enter(root);
        while let Some((id, next)) = self.path.last_mut() {
            let (id, at) = (*id, *next);
            *next += 1;
            match self.links.get(id.index()).and_then(|link| link.requires.get(at)) {
                Some((required, _)) => self.enter(*required),
                None => {
                    self.set(id, Visit::Done);
                    self.order.push(id);
                    self.path.pop();
                }
            }
        }
    }

    fn enter(&mut self, id: FlagId) {
        match self.visited.get(id.index()) {
            Some(Visit::New) => {
                self.set(id, Visit::Open);
                self.path.push((id, 0));
            }
            Some(Visit::Open) => {
                let from = self.path.iter().position(|(on_path, _)| *on_path == id).unwrap_or(0);
                self.cycles.push(self.path.iter().skip(from).map(|(id, _)| *id).collect());
            }
            _ => {}
        }
    }

    fn set(&mut self, id: FlagId, visit: Visit) {
        if let Some(slot) = self.visited.get_mut(id.index()) {
            *slot = visit;
        }
    }
}
