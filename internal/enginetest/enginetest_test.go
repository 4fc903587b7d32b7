package enginetest

import "testing"

func TestFreePort_IsGivenToOneTestAtATime(t *testing.T) {
	var port int
	t.Run("a test", func(t *testing.T) {
		port = FreePort(t)
		if end, err := reserve(port); err == nil {
			end()
			t.Errorf("port %d is given out twice, before a server listens on it", port)
		}
	})
	end, err := reserve(port)
	if err != nil {
		t.Fatalf("port %d stays reserved: %v", port, err)
	}
	end()
}
