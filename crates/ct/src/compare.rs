//! Whether two runs did the same.

use crate::trace::Trace;

/// The first step in which two runs differ.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// One run executed another instruction: the branch is just before.
    Branch { step: usize, from: u64 },
    /// The same instruction touched other memory.
    Memory { step: usize, at: u64 },
}

/// Compares the addresses of two runs.
pub(crate) fn first_difference(one: &Trace, other: &Trace) -> Option<Difference> {
    let paired = one.steps.iter().zip(&other.steps);
    for (step, (a, b)) in paired.enumerate() {
        if a.address != b.address {
            let from = one.steps[step.saturating_sub(1)].address;
            return Some(Difference::Branch { step, from });
        }
        if a.memory != b.memory {
            return Some(Difference::Memory { step, at: a.address });
        }
    }
    if one.steps.len() == other.steps.len() {
        return None;
    }
    let step = one.steps.len().min(other.steps.len());
    let from = one.steps.get(step.saturating_sub(1)).map_or(0, |last| last.address);
    Some(Difference::Branch { step, from })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Step;

    fn trace(steps: &[(u64, u64)]) -> Trace {
        let steps = steps.iter().map(|&(address, memory)| Step { address, memory }).collect();
        Trace { steps, maps: String::new(), output: String::new() }
    }

    #[test]
    fn differences_are_found_where_they_are() {
        let one = trace(&[(1, 0), (2, 5), (3, 0)]);
        assert_eq!(first_difference(&one, &trace(&[(1, 0), (2, 5), (3, 0)])), None);
        let branch = first_difference(&one, &trace(&[(1, 0), (2, 5), (4, 0)]));
        assert_eq!(branch, Some(Difference::Branch { step: 2, from: 2 }));
        let memory = first_difference(&one, &trace(&[(1, 0), (2, 6), (3, 0)]));
        assert_eq!(memory, Some(Difference::Memory { step: 1, at: 2 }));
        let shorter = first_difference(&one, &trace(&[(1, 0), (2, 5)]));
        assert_eq!(shorter, Some(Difference::Branch { step: 2, from: 2 }));
    }
}
