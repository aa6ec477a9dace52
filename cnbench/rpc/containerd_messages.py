"""The messages of containerd's own services that are sent or read here.

Names and numbers are those of its api/services/*/v1/*.proto, api/types/*.proto and
api/events/task.proto (1.0 and later). What is not listed is left out when sent, and passed over
when read. A map is what it is on the wire, a list of its entries (Label).
"""

PACKAGE = "containerd"
# As ``messages`` reads them.
MESSAGES = """
Empty
SubscribeRequest filters:*string=1
Any type_url:string=1 value:bytes=2
Envelope namespace:string=2 topic:string=3 event:Any=4
TaskExit container_id:string=1 id:string=2 pid:uint32=3 exit_status:uint32=4
TaskOOM container_id:string=1
Runtime name:string=1 options:Any=2
Container id:string=1 image:string=3 runtime:Runtime=4 spec:Any=5 snapshotter:string=6 snapshot_key:string=7
CreateContainerRequest container:Container=1
CreateContainerResponse
DeleteContainerRequest id:string=1
Mount type:string=1 source:string=2 target:string=3 options:*string=4
CreateTaskRequest container_id:string=1 rootfs:*Mount=3 stdin:string=4 stdout:string=5 stderr:string=6
CreateTaskResponse container_id:string=1 pid:uint32=2
StartRequest container_id:string=1
StartResponse pid:uint32=1
GetRequest container_id:string=1
GetResponse process:Process=1
Process pid:uint32=3 status:int32=4
KillRequest container_id:string=1 signal:uint32=3
WaitRequest container_id:string=1
WaitResponse exit_status:uint32=1
DeleteTaskRequest container_id:string=1
DeleteResponse exit_status:uint32=3
Label key:string=1 value:string=2
PrepareSnapshotRequest snapshotter:string=1 key:string=2 parent:string=3 labels:*Label=4
PrepareSnapshotResponse mounts:*Mount=1
CommitSnapshotRequest snapshotter:string=1 name:string=2 key:string=3 labels:*Label=4
UsageRequest snapshotter:string=1 key:string=2
UsageResponse size:int64=1 inodes:int64=2
RemoveSnapshotRequest snapshotter:string=1 key:string=2
Descriptor media_type:string=1 digest:string=2 size:int64=3
ApplyRequest diff:Descriptor=1 mounts:*Mount=2
ApplyResponse applied:Descriptor=1
"""  # noqa: E501  a message a line
