"""The messages of the Container Storage Interface that a kubelet and a driver on a node exchange.

Names and numbers are those of csi.proto (container-storage-interface/spec, v1). What is not listed
is left out when sent, and passed over when read. Enums are their numbers.
"""

PACKAGE = "csi.v1"
# As ``messages`` reads them.
MESSAGES = """
NodeGetCapabilitiesRequest
NodeGetCapabilitiesResponse capabilities:*NodeServiceCapability=1
NodeServiceCapability rpc:NodeRpc=1
NodeRpc type:int32=1
MountVolume fs_type:string=1 mount_flags:*string=2
AccessMode mode:int32=1
VolumeCapability mount:MountVolume=2 access_mode:AccessMode=3
NodePublishVolumeRequest volume_id:string=1 target_path:string=4 volume_capability:VolumeCapability=5 readonly:bool=6
NodePublishVolumeResponse
NodeUnpublishVolumeRequest volume_id:string=1 target_path:string=2
NodeUnpublishVolumeResponse
"""  # noqa: E501  a message a line
