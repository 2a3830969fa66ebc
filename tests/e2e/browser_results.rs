//! A real browser: results are drawn as intervals, with the numbers of the ledger.

use crate::experiment_flow::results;
use crate::harness::chromium::Scenario;
use crate::harness::crowd::{Crowd, form};
use crate::harness::eventually;
use crate::harness::program::Setup;

/// `same` is another name for what `off` shows.
const FLAGS: &str = "[flags.form]\nvariants = { off = 34, on = 33, same = 33 }\nexposed_on = [\"GET /form\"]\ngoals = [\"sent\"]\n\n\
                     [goals.sent]\non = \"POST /form\"\nstatus = \"2xx,3xx\"\n";

#[test]
fn a_change_is_drawn_as_an_interval() {
    let app = form();
    let program = Setup::to(&[app.address]).with_token().flags(FLAGS).top("workers = 2").start();
    let done = Crowd { address: program.address, visitors: 3_000, rates: [0.05, 0.25], noise: false }.comes();
    // before the browser looks: what it sees of a part is another picture
    eventually("everything is counted", || {
        let results = results(&program);
        let variants = results["goals"][0]["variants"].as_array().unwrap();
        let sum = |key: &str| variants.iter().filter_map(|variant| variant[key].as_u64()).sum::<u64>();
        [sum("visitors"), sum("conversions")]
            == [done.visitors, done.conversions].map(|both| both.iter().sum::<u64>())
    });
    let Some(mut scenario) = Scenario::start("results.js", &program, &[]) else { return };
    scenario.at("intervals are drawn", |page| {
        let results = results(&program);
        let variants = results["goals"][0]["variants"].as_array().unwrap();
        let number = |place: usize, key: &str| variants[place][key].as_u64().unwrap();
        let of = |key| [number(0, key) + number(2, key), number(1, key)];
        assert_eq!((of("visitors"), of("conversions")), (done.visitors, done.conversions), "everything was counted");
        for (row, place) in page["rows"].as_array().unwrap().iter().zip(0..) {
            let counts = format!("{} of {}", number(place, "conversions"), grouped(number(place, "visitors")));
            assert!(row.as_str().unwrap().contains(&counts), "{counts}: {row}");
        }
    });
    scenario.ends();
}

fn grouped(number: u64) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}
