//! The block of a task of tokio: its header, its future, and the runtime that runs it.

use tracemalloc::internal::function_name;
use tracemalloc_harness::StepEntry;

/// The name of a task's future, if a type is that of a task.
fn future(type_name: &str) -> Option<&str> {
    let cell = type_name.strip_prefix("Box<tokio::runtime::task::core::Cell<")?;
    let (future, _scheduler) = cell.strip_suffix(">>")?.rsplit_once(", Arc<tokio::")?;
    Some(function_name::function_of_closure(future).unwrap_or(future))
}

/// Whether a block is that in which a runtime keeps its tasks. A task leaves it when it ends.
fn keeps_tasks(step: &StepEntry) -> bool {
    step.type_name.as_deref().is_some_and(|name| {
        name.contains("LinkedList<tokio::runtime::task::Task<")
            || name.starts_with("Arc<tokio::runtime::scheduler::")
    })
}

/// The name of the future of a task that has not ended: its runtime leads to it.
pub fn running_task(path: &[StepEntry]) -> Option<&str> {
    let [.., list, task] = path else { return None };
    future(task.type_name.as_deref()?).filter(|_| keeps_tasks(list))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(type_name: &str) -> StepEntry {
        let type_name = Some(type_name.to_owned());
        let (file, line, function, field) = (None, None, None, None);
        StepEntry { type_name, file, line, function, bytes: 256, pointer: 0, strong: 0, field }
    }

    const TASK: &str = "Box<tokio::runtime::task::core::Cell<app::ticks::{closure#0}, \
                        Arc<tokio::runtime::scheduler::current_thread::Handle>>>";
    const LIST: &str = "Box<[tokio::loom::std::mutex::Mutex<tokio::util::linked_list::LinkedList<\
                        tokio::runtime::task::Task<\
                        Arc<tokio::runtime::scheduler::current_thread::Handle>>>>]>";

    #[test]
    fn a_task_in_the_list_of_its_runtime_has_not_ended() {
        assert_eq!(running_task(&[step(LIST), step(TASK)]), Some("app::ticks"));
        let handle = "Arc<tokio::runtime::scheduler::multi_thread::handle::Handle>";
        assert_eq!(running_task(&[step(handle), step(TASK)]), Some("app::ticks"));
    }

    #[test]
    fn a_task_that_its_handle_alone_keeps_may_have_ended() {
        let handles = "Vec<tokio::runtime::task::join::JoinHandle<u32>>";
        assert_eq!(running_task(&[step(handles), step(TASK)]), None);
        assert_eq!(running_task(&[step(TASK)]), None);
        assert_eq!(running_task(&[step(LIST), step("Box<app::Task>")]), None);
    }
}
