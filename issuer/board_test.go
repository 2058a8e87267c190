package issuer

import (
	"fmt"
	"testing"
)

// However many lists are asked for, few are kept, and the one that was asked for
// last is among them.
func TestBoardsAreBounded(t *testing.T) {
	i := New(Config{})
	for n := range 3 * maxBoards {
		list := fmt.Sprint("L", n)
		if i.board(list, false) != nil {
			t.Fatalf("%s is there before it was made", list)
		}
		b := i.board(list, true)
		if i.board(list, false) != b || i.board(list, true) != b || len(i.boards) > maxBoards {
			t.Fatalf("%s was not kept, or %d are", list, len(i.boards))
		}
	}
}
