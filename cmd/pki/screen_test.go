package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestPagesOfAScreen wants every page of a step to leave room for a question,
// and every line to be on one of them.
func TestPagesOfAScreen(t *testing.T) {
	for _, height := range []int{0, 10, 24, 60} {
		for _, n := range []int{0, 1, 5, 19, 20, 21, 100} {
			s := &screen{width: 80, height: height}
			text := "\nStep 3 of 9\n────\nsomebody: does something\n\n"
			for i := range n {
				text += fmt.Sprintf("line %03d %s\n", i, strings.Repeat("é", i%3*40))
			}
			pages := s.pages(text)
			whole := strings.Join(pages, "")
			for i := range n {
				if strings.Count(whole, fmt.Sprintf("line %03d", i)) != 1 {
					t.Errorf("height %d, %d lines: line %d is not there once", height, n, i)
				}
			}
			for _, page := range pages {
				rows := s.rows(strings.Split(strings.TrimSuffix(page, "\n"), "\n")...)
				if height > 0 && rows > height-spare {
					t.Errorf("height %d, %d lines: a page has %d rows", height, n, rows)
				}
				if !strings.HasPrefix(page, "Step 3 of 9\n────\nsomebody: does something\n") {
					t.Errorf("height %d, %d lines: a page begins %.40q", height, n, page)
				}
			}
		}
	}
}

// TestRemarksOfAScreen wants one remark about an answer on the screen at a time,
// below the step while there is room, and what was said before any answer kept.
func TestRemarksOfAScreen(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, width: 80, height: 24}
	seen := func() string {
		_, last, _ := strings.Cut("\n"+out.String()[strings.LastIndex(out.String(), wiped):], wiped)
		return last
	}
	s.show("Step 1 of 2\n───\nwho: what\n\nread this\n")
	say := func(text string) { s.remark(text); s.say(text) }
	say("lint says so\n")
	for _, remark := range []string{"first mistake\n", "second mistake\n"} {
		s.answered = true
		say(remark)
	}
	if got := seen(); !strings.Contains(got, "read this") || !strings.Contains(got, "lint says so") || strings.Contains(got, "first") || !strings.HasSuffix(got, "second mistake\n") {
		t.Errorf("the screen is %q", got)
	}
	s.answered = true
	say(strings.Repeat("a long story\n", 15))
	if got := seen(); strings.Contains(got, "read this") || !strings.HasPrefix(got, "Step 1 of 2\n───\nwho: what\n") {
		t.Errorf("with a long remark the screen is %q", got)
	}
	s.answered = true
	s.begin()
	if got := seen(); strings.TrimSpace(got) != "Step 1 of 2\n───\nwho: what" || s.full() {
		t.Errorf("when an act begins the screen is %q", got)
	}
	for range 20 {
		s.say("done\n")
	}
	if !s.full() {
		t.Error("after twenty results the screen is not full")
	}
}
