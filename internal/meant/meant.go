// Package meant carries, in the context of a Request, which of many holds of a mutex is
// asked about: an answer tells of the first of them only, and of this one.
package meant

import "context"

type key struct{}

// With returns ctx for a Request that asks about the hold with a token.
func With(ctx context.Context, token uint64) context.Context {
	return context.WithValue(ctx, key{}, token)
}

// Token is that of the hold that is asked about; 0: none.
func Token(ctx context.Context) uint64 {
	token, _ := ctx.Value(key{}).(uint64)
	return token
}
