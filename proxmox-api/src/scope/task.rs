//! Worker tasks.

use proxmox_types::params::{LogRange, TaskFilter};
use proxmox_types::{TaskEntry, TaskLogLine, TaskStatus};

use super::place::{Node, Nothing, Task};
use crate::Page;

const API: &str = "pve-manager PVE/API2/Tasks.pm";

endpoints! {
    impl Node<'a> as self, 'a {
        /// Lists tasks, by default those that have ended.
        ///
        /// Source: pve-manager `PVE/API2/Tasks.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// use types::params::TaskFilter;
        /// let last = TaskFilter { limit: Some(5), ..TaskFilter::default() };
        /// assert!(node.tasks().with(last).await?.rows.len() <= 5);
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/tasks" as LIST "task.list"
        fn tasks(self) -> Page<TaskEntry>, with TaskFilter
        needs (any token)
        check("tasks of anyone but the same token are left out without it", ("Sys.Audit" on "/nodes/{node}"), API)
            .filters().seen("get-tasks.none");
    }

    impl Task<'a> as self, 'a {
        /// Reads the state. A UPID that was rotated away is a 400.
        ///
        /// Source: pve-manager `PVE/API2/Tasks.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// let upid = ct.start().await?;
        /// println!("{:?}", client.task(&upid).status().await?.state);
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/tasks/{upid}/status" as STATUS "task.status"
        fn status(self) -> TaskStatus
        needs (any token)
        .protected()
        check("for tasks of anyone but the same token", ("Sys.Audit" on "/nodes/{node}"), API)
            .seen("task-status-403.limited");

        /// Reads lines of the log. An empty log has the line `no content`, a missing one the text of the failed open.
        ///
        /// Source: pve-manager `PVE/API2/Tasks.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// let upid = ct.start().await?;
        /// for line in client.task(&upid).log().await?.rows.iter() {
        ///     println!("{}", line.t);
        /// }
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/tasks/{upid}/log" as LOG "task.log"
        fn log(self) -> Page<TaskLogLine>, with LogRange
        needs (any token)
        .protected()
        check("for tasks of anyone but the same token", ("Sys.Audit" on "/nodes/{node}"), API)
            .seen("task-log-403.none");

        /// Stops the task: TERM, and KILL after 5 s, for which the call waits. A task that has ended is no error.
        ///
        /// Source: pve-manager `PVE/API2/Tasks.pm`.
        DELETE "/nodes/{node}/tasks/{upid}" as STOP "task.stop"
        fn stop(self) -> Nothing
        needs (any token)
        check("for tasks of anyone but the same token", ("Sys.Modify" on "/nodes/{node}"), API)
            .seen("task-stop-403.full");
    }
}
