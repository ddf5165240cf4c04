//! Messages that were never received stay in the channel until all senders are gone. A message that
//! has a sender of the same channel in it makes that a cycle.

use crossbeam_channel::{Sender, unbounded};

struct Request {
    _body: String,
    _answer: Sender<Request>,
}

#[test]
pub fn crossbeam_channel_unread() {
    let (sender, receiver) = unbounded(); // leaks
    for i in 0..3 {
        let request = Request { _body: format!("request {i}"), _answer: sender.clone() }; // leaks
        sender.send(request).ok().unwrap(); // leaks
    }
    drop(receiver.recv().unwrap());
    drop(receiver);
}

/// Messages without a sender in them.
#[test]
pub fn plain_messages() {
    let (sender, receiver) = unbounded();
    for i in 0..3 {
        sender.send(format!("request {i}")).unwrap();
    }
    drop(receiver.recv().unwrap());
}
