//! Rows for other programs.

use flagstaff_ledger::{Export, Format, Ledger, Location};
use futures_util::TryStreamExt;

use crate::desk::*;
use crate::postgres::each_store;

fn export(place: &Location, what: &Export, format: Format, seconds: i64) -> Vec<String> {
    block_on(async {
        let mut ledger = Ledger::open(place).await.unwrap();
        let lines: Vec<String> =
            ledger.export("form", &goals(), what, format, at(seconds)).try_collect().await.unwrap();
        lines
    })
}

#[test]
fn every_visitor_is_a_row_and_every_day() {
    each_store(|place| {
        let (desk, half) = (Desk::open(place), snapshot(form(50.0)));
        let (on, off) = (visitor_at(0..50_000, 0), visitor_at(50_000..100_000, 0));
        desk.meet(&half, &on, 0);
        desk.recorder.visit(None).page(&on, at(0));
        desk.recorder.visit(None).told("paid", &on, (Some(1.5), None), at(10)).unwrap();
        desk.recorder.visit(None).told("paid", &on, (Some(2.0), None), at(11)).unwrap();
        desk.meet(&half, &off, 86_400);
        desk.convert("sent", &off, 86_500);
        let place = desk.close();
        let csv = export(&place, &Export::Visitors, Format::Csv, 86_600);
        assert_eq!(
            csv[0],
            "flag,visitor,variant,exposed_at,confirmed,crossed_at,step,sent,sent_value,bounced,paid,paid_value\n"
        );
        let mut rows = csv[1..].to_vec();
        rows.sort();
        let mut expected = [
            format!("form,{on},on,2025-10-09T08:53:20.000000Z,true,,0,0,0,true,2,3.5\n"),
            format!("form,{off},off,2025-10-10T08:53:20.000000Z,true,,0,1,0,,0,0\n"),
        ];
        expected.sort();
        assert_eq!(rows, expected);
        let json = export(&place, &Export::Visitors, Format::JsonLines, 86_600);
        let row: serde_json::Value =
            serde_json::from_str(json.iter().find(|line| line.contains(&on)).unwrap()).unwrap();
        assert_eq!((&row["variant"], &row["paid_value"], &row["bounced"]), (&"on".into(), &3.5.into(), &true.into()));
        let days = export(&place, &Export::Days, Format::Csv, 86_600);
        assert_eq!(
            days,
            [
                "flag,day,variant,visitors,confirmed,crossed,sent,sent_value,bounced,bounced_open,paid,paid_value\n",
                "form,2025-10-09,on,1,1,0,0,0,1,0,1,3.5\n",
                "form,2025-10-10,off,1,1,0,1,0,0,1,0,0\n",
            ]
        );
        block_on(async {
            assert_eq!(Ledger::open(&place).await.unwrap().visitors("form").await.unwrap(), 2);
            assert_eq!(Ledger::open(&place).await.unwrap().flags().await.unwrap(), ["form"]);
        });
    });
}

#[test]
fn odd_ids_stay_one_field() {
    let folder = tempfile::tempdir().unwrap();
    let place = Location::file(&folder.path().join("ledger.db")).unwrap();
    let (desk, half) = (Desk::open(&place), snapshot(form(50.0)));
    desk.meet(&half, "a,\"b\"\nc", 0);
    let csv = export(&desk.close(), &Export::Visitors, Format::Csv, 60);
    assert!(csv[1].starts_with("form,\"a,\"\"b\"\"\nc\",o"), "{}", csv[1]);
}

#[test]
fn a_ledger_that_is_not_there_says_so() {
    let error = block_on(Ledger::open(&Location::new("/nowhere/at/all.db").unwrap())).unwrap_err();
    assert!(error.to_string().starts_with("there is no ledger at /nowhere/at/all.db"), "{error}");
}
