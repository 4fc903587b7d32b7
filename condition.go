package editlock

type conditionKind uint8

const (
	always conditionKind = iota
	ifFree
	ifStatusData
	ifToken
	ifRequest
)

// Condition makes a Capture or a Release compare and swap in one atomic step.
// The zero Condition is none.
type Condition struct {
	kind       conditionKind
	statusData string
	token      Token
	request    string
}

// IfFree captures only what nobody holds, not even the caller.
func IfFree() Condition { return Condition{kind: ifFree} }

// IfStatusData acts only on a mutex of the caller's with exactly this status
// data.
func IfStatusData(x string) Condition { return Condition{kind: ifStatusData, statusData: x} }

// IfToken acts only on a mutex of the caller's with this token.
func IfToken(t Token) Condition { return Condition{kind: ifToken, token: t} }

// IfRequest goes with Release only. It frees a mutex of the caller's that the
// Capture with this RequestID took or was granted, and ends its wait if that
// still goes on, at any server on the store. One that comes within ten minutes after
// is lost: another call takes another RequestID.
func IfRequest(requestID string) Condition { return Condition{kind: ifRequest, request: requestID} }

// IsZero reports whether there is no condition.
func (c Condition) IsZero() bool { return c.kind == always }

// Free reports whether the condition is IfFree.
func (c Condition) Free() bool { return c.kind == ifFree }

// StatusData returns the argument of IfStatusData, if that is the condition.
func (c Condition) StatusData() (string, bool) { return c.statusData, c.kind == ifStatusData }

// Token returns the argument of IfToken, if that is the condition.
func (c Condition) Token() (Token, bool) { return c.token, c.kind == ifToken }

// Request returns the argument of IfRequest, if that is the condition.
func (c Condition) Request() (string, bool) { return c.request, c.kind == ifRequest }

func (c Condition) validate() error {
	if c.kind == ifRequest {
		if c.request == "" {
			return invalid("if.request", "not_a_request_id", "must be the request ID of a capture")
		}
		return checkText("if.request", c.request, maxRequestID)
	}
	if c.kind == ifToken && c.token == 0 {
		return invalid("if.token", "not_a_token", "must be a token that a capture returned")
	}
	if c.kind == ifStatusData && len(c.statusData) > MaxStatusData {
		return invalid("if.status_data", "too_long", "is %d bytes long; at most %d are allowed", len(c.statusData), MaxStatusData)
	}
	return nil
}
