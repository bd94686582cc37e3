//! Seeds that once failed, kept for ever and run with every test.

use crate::run::Scenario;

const CONVERGE: &str = include_str!("../seeds/converge.txt");
const CLUSTERS: &str = include_str!("../seeds/clusters.txt");
const REGISTER: &str = include_str!("../seeds/register.txt");
const LIVENESS: &str = include_str!("../seeds/liveness.txt");
const MEMBERSHIP: &str = include_str!("../seeds/membership.txt");

/// The seeds kept of a scenario. Panics when the list is not one: it is part of the program.
pub fn kept(scenario: Scenario) -> Vec<u64> {
    let text = match scenario {
        Scenario::Converge => CONVERGE,
        Scenario::Clusters => CLUSTERS,
        Scenario::Register => REGISTER,
        Scenario::Liveness => LIVENESS,
        Scenario::Membership => MEMBERSHIP,
    };
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let seed = |line: &str| line.split_whitespace().next().and_then(|seed| seed.parse().ok());
    lines.map(|line| seed(line).expect("a line begins with a seed")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_one() {
        assert!(kept(Scenario::Converge).contains(&5));
    }
}
