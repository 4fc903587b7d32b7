package httpapi

import (
	"net/http"
	"reflect"

	"github.com/editlock/editlock/internal/wire"
)

// operation is a route and what the OpenAPI document says of it.
type operation struct {
	route
	path        string
	name        string // operationId
	summary     string
	description string
	body        reflect.Type   // of POST
	params      []param        // in the query, of GET; headers
	answers     []reflect.Type // of status 200: one of them
	contentType string         // of answers that are not JSON
	problems    []wire.Code    // beside those that any call may end with
	accepted    string         // what status 202 means, with the same answers; empty: there is none
}

// param is one parameter of an operation.
type param struct {
	name, in string
	about    string
	format   string // uint64, int32 or date-time; empty: text
}

func form[T any]() reflect.Type { return reflect.TypeFor[T]() }

var (
	groupParam = param{"group", "query", "Only mutexes of this group. Empty: of all.", ""}
	modeParam  = param{"mode", "query", "Only mutexes of this mode. Empty: of all.", ""}
	idParam    = param{"id", "query", "Only the mutex of this id, in just the group and mode given, which may be empty.", ""}
	partParam  = param{"part", "query", "With id: only the mutex of this part of it.", ""}
	treeParam  = param{"tree", "query", "True: of the mutex and all that is below it. Without id, of all of the group, or of the group and mode.", ""}
	belowParam = param{"below", "query", "Without id, true: only the mutex of all that is below the group, or the group and mode.", ""}
	limitParam = param{"limit", "query", "At most so many: up to 1000, 100 by default.", "int32"}
	pageParam  = param{"cursor", "query", "next_cursor of the page before, of a call with the same parameters, but for limit. Any other is invalid.", ""}

	preferHeader = param{"Prefer", "header", "`respond-async, wait=25` (RFC 7240), with an Idempotency-Key: a wait that lasts longer than so many seconds is answered with 202, and its caller asks again. Proxies cut off longer requests, often after 30 or 60 seconds.", ""}
)

// retryable are the headers of calls that may be sent again.
var retryable = []param{
	{idempotencyKey, "header", "New for each call, a UUID for example, up to 200 bytes: within ten minutes, a retry by the same session for the same mutexes is the same call, even if the first one's answer was lost.", ""},
	{idempotencyAge, "header", "Of a retry: how long ago the first try was sent, such as \"1.5s\". What was captured since then is left alone: the call did not mean it.", ""},
}

// operations are all there is, in the order of the document.
func operations() []operation {
	ops := []operation{
		{
			path: "/v1/capture", name: "capture", summary: "Capture a mutex, or refresh one's own",
			description: "Takes what is free and refreshes what the caller's session holds, which keeps its token. " +
				"With `if`, only if the condition holds, in one atomic step. With `wait`, queues for what another holds, first come, first served. " +
				"What a wait was granted expires within 15 seconds, as `expires_in_s` says, unless it is refreshed: a caller with `Prefer` does so itself, " +
				"for others the server does once the connection has taken the answer. " +
				"The place in the queue belongs to the Idempotency-Key: it outlives its request by 10 seconds, and a release with `if.request` gives it up at once, at whichever server on the store, and the key with it: a capture by it that comes within 10 minutes after is `lost`. " +
				"Several `mutexes` are captured all or none.",
			route: route{serve: post(false, capture)}, body: form[wire.CaptureRequest](), params: append([]param{preferHeader}, retryable...),
			accepted: "The capture waits on: its state is WAITING. Ask again with the same body and Idempotency-Key, and the rest of the wait.",
			answers:  []reflect.Type{form[wire.CaptureAnswer](), form[wire.CaptureAllAnswer]()},
			problems: []wire.Code{wire.Busy, wire.Lost},
		},
		{
			path: "/v1/refresh", name: "refresh", summary: "Keep mutexes from expiring",
			description: "One beat for all locks of a tab. Each is accepted from the session that holds, and from the same user in a new session. " +
				"What is lost is told of in its own result, which is then a problem instead of a mutex; the call itself succeeds.",
			route: route{serve: post(false, refresh)}, body: form[wire.RefreshRequest](), answers: []reflect.Type{form[wire.RefreshAnswer]()},
		},
		{
			path: "/v1/request", name: "request", summary: "Tell who holds a mutex",
			description: "Changes nothing.",
			route:       route{serve: post(false, request)}, body: form[wire.LookRequest](), answers: []reflect.Type{form[wire.CaptureAnswer]()},
		},
		{
			path: "/v1/release", name: "release", summary: "Release a mutex",
			description: "Frees what the caller's session holds, or passes it to the first who waits. What is free already, or does not meet `if`, is left as it is: " +
				"`released` is then false. With `grace` it is released so long after, unless it is refreshed before. The body may come as text/plain too, as `navigator.sendBeacon` sends it from a page that closes.",
			route: route{serve: post(true, release)}, body: form[wire.ReleaseRequest](), params: retryable,
			answers:  []reflect.Type{form[wire.ReleaseAnswer](), form[wire.ReleaseAllAnswer]()},
			problems: []wire.Code{wire.Busy},
		},
		{
			path: "/v1/takeover", name: "takeover", summary: "Take a mutex over from its holder",
			description: "In one atomic step, from the holder seen: `busy` if it is another by now, `not_held` if nobody holds it, nor anything above or below. The loser is told by whom, when and why.",
			route:       route{serve: post(false, takeover)}, body: form[wire.TakeoverRequest](), params: retryable,
			answers: []reflect.Type{form[wire.CaptureAnswer]()}, problems: []wire.Code{wire.Busy, wire.Lost, wire.NotHeld, wire.HeldByPerson},
		},
		{
			path: "/v1/force-release", name: "force-release", summary: "Release a mutex of anybody's",
			description: "By the holder seen, with a reason; refused like a takeover if the holder has changed, or nobody holds it.",
			route:       route{serve: post(false, forceRelease)}, body: form[wire.ForceReleaseRequest](), params: retryable,
			answers: []reflect.Type{form[wire.ReleaseAnswer]()}, problems: []wire.Code{wire.Busy, wire.NotHeld, wire.Forbidden},
		},
		{
			path: "/v1/release-session", name: "release-session", summary: "Release everything that a session holds",
			description: "At logout, for example.",
			route:       route{serve: post(false, releaseSession)}, body: form[wire.ReleaseSessionRequest](), params: retryable,
			answers: []reflect.Type{form[wire.ReleaseAllAnswer]()},
		},
		{
			path: "/v1/hand-over", name: "hand-over", summary: "Pass a mutex to the first who waits",
			description: "If nobody waits, the holder keeps it.",
			route:       route{serve: post(false, handOver)}, body: form[wire.HandOverRequest](), params: retryable,
			answers: []reflect.Type{form[wire.HandOverAnswer]()}, problems: []wire.Code{wire.Lost},
		},
		{
			path: "/v1/decline", name: "decline", summary: "End somebody's wait, with a message",
			description: "The waiter's capture ends as `busy`, with the answer in `declined`.",
			route:       route{serve: post(false, decline)}, body: form[wire.DeclineRequest](), params: retryable,
			answers: []reflect.Type{form[wire.DeclineAnswer]()}, problems: []wire.Code{wire.Lost},
		},
		{
			path: "/v1/presence", name: "presence", summary: "Tell that a page looks at records, and ask who else does",
			description: "One beat for all records of a page, which is present for 30 seconds after it. Looking takes, renews and wakes nothing, and is no history. " +
				"A result is who else looks, or a problem; the call itself succeeds. Where the group has presence turned off, it is `forbidden`. " +
				"A page that refreshes locks sends the same with that. The body may come as text/plain too, as `navigator.sendBeacon` sends it from a page that closes.",
			route: route{serve: post(true, present)}, body: form[wire.PresenceRequest](), answers: []reflect.Type{form[wire.PresenceAnswer]()},
		},
		{
			path: "/v1/presence-query", name: "presence-query", summary: "Tell who edits the records of a list, who reads them, and who looks at them",
			description: "Changes nothing. Each record counts as a request against the caller's rate.",
			route:       route{serve: post(false, whoIs)}, body: form[wire.PresenceQuery](), answers: []reflect.Type{form[wire.PresenceQueryAnswer]()},
		},
		{
			path: "/v1/mutexes", name: "list", summary: "List captured mutexes",
			route: route{serve: get(list)}, answers: []reflect.Type{form[wire.ListAnswer]()},
			params: []param{
				groupParam, modeParam,
				{"session", "query", "Only of this holder's session.", ""},
				{"user_id", "query", "Only of this holder's user_id.", ""},
				{"text", "query", "Only with this text, in any letter case, in the ID, the status data or the owner.", ""},
				limitParam, pageParam,
			},
		},
		{
			path: "/v1/history", name: "history", summary: "Tell what happened, newest first",
			description: "Every capture, release, expiry, takeover and so on; refreshes are not history.",
			route:       route{serve: get(history)}, answers: []reflect.Type{form[wire.HistoryAnswer]()},
			params: []param{
				groupParam, modeParam, idParam, partParam, belowParam, treeParam,
				{"user_id", "query", "Only of this user: as owner, actor or other side.", ""},
				{"kind", "query", "Only of these kinds, with commas between.", ""},
				{"from", "query", "Not before this time.", "date-time"},
				{"to", "query", "Before this time.", "date-time"},
				{"text", "query", "Only with this text, in any letter case, in the ID, the reason or an owner.", ""},
				limitParam, pageParam,
			},
		},
		{
			path: "/v1/events", name: "events", summary: "Stream what happens, as server-sent events",
			description: "Each event has the kind as its `event`, the number as its `id` and an Entry as its `data`. A quiet stream shows every 15 seconds that it lives. " +
				"Resumes without loss or repetition; if what is asked for is gone from the history, a `gap` comes first. " +
				"If the stream can't go on, a last event `problem` has a Problem as its data.",
			route: route{serve: events, stream: true}, answers: []reflect.Type{form[wire.Entry](), form[wire.Problem]()}, contentType: "text/event-stream",
			params: []param{
				groupParam, modeParam, idParam, partParam, belowParam, treeParam,
				{"session", "query", "Only what this session did, or what was done to it.", ""},
				{"after", "query", "Resume behind the event of this id. Absent: from now on.", "uint64"},
				{"Last-Event-ID", "header", "The same, as browsers send it when they reconnect; it comes before the query.", "uint64"},
			},
		},
		{
			path: "/healthz", name: "health", summary: "Tell that the process serves",
			route: route{serve: get(alive), public: true}, answers: []reflect.Type{form[wire.StatusAnswer]()},
		},
		{
			path: "/readyz", name: "ready", summary: "Tell that the store answers and takes writes, and the server is not stopping",
			route: route{serve: get(ready), public: true}, answers: []reflect.Type{form[wire.StatusAnswer]()},
		},
	}
	for i := range ops {
		ops[i].method = http.MethodGet
		if ops[i].body != nil {
			ops[i].method = http.MethodPost
		}
	}
	return ops
}
