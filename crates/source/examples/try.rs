//! Scratch.
#![allow(missing_docs)]
fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap();
    let options = flagstaff_source::Options {
        today: Some(jiff::civil::date(2026, 11, 20)),
        environment: args.next(),
        pins: std::env::vars().collect(),
        ..Default::default()
    };
    let started = std::time::Instant::now();
    let result = flagstaff_source::load(path.as_ref(), &options);
    eprintln!("{:?}", started.elapsed());
    match result {
        Ok(l) => {
            println!("ok {} flags", l.snapshot.flags().len());
            print!("{}", l.report);
        }
        Err(r) => {
            println!("{r}\n\n{}", r.summary());
        }
    }
    eprintln!("{:?}", started.elapsed());
}
