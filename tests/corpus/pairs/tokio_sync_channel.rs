//! A channel that is dropped forgets the blocks of its queue.

use tokio_sync::mpsc::unbounded_channel;

#[test]
pub fn tokio_sync_channel() {
    let (mut sender, receiver) = unbounded_channel(); // leaks
    for i in 0..100_u64 {
        sender.try_send(i).unwrap(); // leaks
    }
    drop(sender);
    drop(receiver);
}
