
ª
	ers.protodunedaq.ersschema"Û
Context
cwd (	Rcwd
	file_name (	RfileName#
function_name (	RfunctionName
	host_name (	RhostName
line_number (R
lineNumber!
package_name (	RpackageName

process_id (R	processId
	thread_id (RthreadId
user_id (RuserId
	user_name (	RuserName)
application_name (	RapplicationName"Ò
SimpleIssue4
context (2.dunedaq.ersschema.ContextRcontext
name (	Rname 
inheritance (	Rinheritance
message (	Rmessage
severity (	Rseverity
time (RtimeN

parameters (2..dunedaq.ersschema.SimpleIssue.ParametersEntryR
parameters=
ParametersEntry
key (	Rkey
value (	Rvalue:8"Î

IssueChain4
final (2.dunedaq.ersschema.SimpleIssueRfinal6
causes (2.dunedaq.ersschema.SimpleIssueRcauses
session
 (	Rsession 
application (	Rapplication
module (	Rmodulebproto3