
ä
google/protobuf/any.protogoogle.protobuf"6
Any
type_url (	RtypeUrl
value (RvalueBv
com.google.protobufBAnyProtoPZ,google.golang.org/protobuf/types/known/anypb¢GPBªGoogle.Protobuf.WellKnownTypesbproto3
Ì
status.proto
google.rpcgoogle/protobuf/any.proto"f
Status
code (Rcode
message (	Rmessage.
details (2.google.protobuf.AnyRdetails"¹
	ErrorInfo
reason (	Rreason
domain (	Rdomain?
metadata (2#.google.rpc.ErrorInfo.MetadataEntryRmetadata;
MetadataEntry
key (	Rkey
value (	Rvalue:8"½
PreconditionFailureI

violations (2).google.rpc.PreconditionFailure.ViolationR
violations[
	Violation
type (	Rtype
subject (	Rsubject 
description (	Rdescription"¨

BadRequestP
field_violations (2%.google.rpc.BadRequest.FieldViolationRfieldViolationsH
FieldViolation
field (	Rfield 
description (	Rdescriptionbproto3