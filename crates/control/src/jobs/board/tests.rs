use std::time::Duration;

use super::*;

fn board(at_once: usize, per_box: usize) -> Board {
    Board::new(Limits { at_once, per_box, keep: Duration::ZERO })
}

fn ticket(account: u8, n: u8, smartbox: Option<u8>) -> Ticket {
    Ticket {
        id: format!("job_000000000000000000{account}{n}").parse().unwrap(),
        account: format!("acc_0000000000000000000{account}").parse().unwrap(),
        smartbox: smartbox.map(|n| format!("box_0000000000000000000{n}").parse().unwrap()),
        long: false,
    }
}

fn command(n: usize, smartbox: u8) -> Ticket {
    let id = format!("job_1{n:019}").parse().unwrap();
    Ticket { id, long: true, ..ticket(1, 0, Some(smartbox)) }
}

fn drain(board: &mut Board) -> Vec<Ticket> {
    std::iter::from_fn(|| board.next().map(|(ticket, _)| ticket)).collect()
}

#[test]
fn an_account_with_many_jobs_does_not_hold_up_another() {
    let mut board = board(100, 100);
    for n in 0..5 {
        board.queue(ticket(1, n, None));
    }
    board.queue(ticket(2, 0, None));
    board.queue(ticket(2, 1, None));
    let order = drain(&mut board);
    let [a, b] = [1, 2].map(|account| ticket(account, 0, None).account);
    let accounts: Vec<_> = order.iter().map(|ticket| ticket.account.clone()).collect();
    assert_eq!(accounts, [a.clone(), b.clone(), a.clone(), b, a.clone(), a.clone(), a]);
    let of_one: Vec<_> = order.iter().filter(|t| t.account == order[0].account).collect();
    assert!(of_one.windows(2).all(|pair| pair[0].id < pair[1].id), "in their order");
}

#[test]
fn no_more_run_than_may() {
    let mut board = board(3, 2);
    for n in 0..4 {
        board.queue(ticket(1, n, Some(1)));
    }
    board.queue(ticket(1, 4, Some(2)));
    board.queue(ticket(2, 0, Some(2)));
    let first = drain(&mut board);
    assert_eq!(first, [ticket(1, 0, Some(1)), ticket(2, 0, Some(2)), ticket(1, 1, Some(1))]);
    board.done(&ticket(2, 0, None).id);
    // The box at its limit is passed over, the one behind it is not held up.
    assert_eq!(drain(&mut board), [ticket(1, 4, Some(2))]);
    board.done(&ticket(1, 0, None).id);
    board.done(&ticket(1, 1, None).id);
    board.done(&ticket(1, 4, None).id);
    assert_eq!(drain(&mut board).len(), 2);
    assert_eq!(board.waiting(&ticket(1, 0, None).account), 0);
}

#[test]
fn what_is_queued_twice_runs_once_and_what_is_queued_while_it_runs_runs_again() {
    let mut board = board(9, 9);
    let one = ticket(1, 0, None);
    board.queue(one.clone());
    board.queue(one.clone());
    assert_eq!(drain(&mut board).len(), 1);
    board.queue(one.clone());
    assert_eq!(drain(&mut board).len(), 0, "one run at a time");
    board.done(&one.id);
    assert_eq!(drain(&mut board).len(), 1);
    board.done(&one.id);
    assert_eq!(drain(&mut board).len(), 0);
}

#[test]
fn a_run_is_told_to_stop() {
    let mut board = board(1, 1);
    let one = ticket(1, 0, None);
    board.queue(one.clone());
    let (_, stop) = board.next().unwrap();
    board.stop(&one.id, false);
    assert!(stop.soon.is_cancelled() && !stop.for_good.is_cancelled());
    board.stop(&one.id, true);
    assert!(stop.for_good.is_cancelled());
}

#[test]
fn commands_take_no_place_from_other_jobs_nor_all_of_a_box() {
    let mut board = board(2, 1);
    for n in 0..LONG_PER_BOX + 5 {
        board.queue(command(n, 1));
    }
    board.queue(ticket(1, 1, Some(1)));
    board.queue(command(99, 2));
    let first = drain(&mut board);
    assert_eq!(first.len(), LONG_PER_BOX + 2);
    assert!(first.contains(&ticket(1, 1, Some(1))), "a restart does not wait for commands");
    assert!(first.contains(&command(99, 2)), "another box has its own");
    for n in 0..LONG_AT_ONCE {
        board.queue(command(1000 + n, u8::try_from(3 + n % 7).unwrap()));
    }
    drain(&mut board);
    assert!(board.running.len() <= LONG_AT_ONCE + 2);
}
