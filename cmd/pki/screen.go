package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// screen is a terminal that shows one step at a time, so that nobody has to
// scroll back. What does not fit comes page by page, and what is said about an
// answer takes the place of what was said about the one before.
type screen struct {
	out           io.Writer
	width, height int    // of the terminal; no height where nobody knows it
	head          string // number and title of the step
	page          string // of the step that was shown last
	used          int    // rows, since it was wiped
	answered      bool   // something was typed since the last remark
}

// spare is how many rows a page leaves for a remark and a question.
const spare = 4

// newScreen gives the screen of a terminal, nil for a file, a pipe and a
// terminal that can do nothing.
func newScreen(w io.Writer) *screen {
	f, is := w.(*os.File)
	if !is || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	s := &screen{out: w}
	if width, height, err := term.GetSize(int(f.Fd())); err == nil && width >= 40 && height >= 2*spare {
		s.width, s.height = width, height
	}
	return s
}

// rows counts the rows that lines take on the terminal.
func (s *screen) rows(lines ...string) int {
	n := 0
	for _, line := range lines {
		n++
		if s.width > 0 {
			n += max(0, utf8.RuneCountInString(line)-1) / s.width
		}
	}
	return n
}

// pages cuts a step where the terminal is full. Every page begins with the head.
func (s *screen) pages(text string) []string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	if s.height == 0 || s.rows(lines...) <= s.height-spare {
		return []string{strings.Join(lines, "\n") + "\n"}
	}
	head := topOf(lines)
	var pages []string
	page := head
	for _, line := range lines[len(head):] {
		if s.rows(append(page, line)...) > s.height-spare && len(page) > len(head) {
			pages = append(pages, strings.Join(page, "\n")+"\n")
			page = head
		}
		page = append(page[:len(page):len(page)], line)
	}
	return append(pages, strings.Join(page, "\n")+"\n")
}

// topOf gives the lines that every page of a step begins with: those up to the
// first empty one, and that.
func topOf(lines []string) []string {
	end := slices.Index(lines, "")
	return slices.Clip(lines[:min(end+1, 2*spare)])
}

// show puts a step on the wiped screen.
func (s *screen) show(text string) {
	pages := s.pages(text)
	s.head = strings.Join(topOf(strings.Split(pages[0], "\n")), "\n")
	for i, page := range pages {
		s.page = page
		s.redraw(page + "\n")
		if i+1 < len(pages) {
			s.pause(fmt.Sprintf("Page %d of %d. Press Enter for the next.", i+1, len(pages)))
		}
	}
	s.answered = false
}

func (s *screen) redraw(text string) {
	fmt.Fprint(s.out, wiped+text)
	s.used = strings.Count(text, "\n")
}

// begin makes room for what an act gives, once what was asked is answered.
func (s *screen) begin() {
	if s.answered {
		s.redraw(s.head + "\n")
		s.answered = false
	}
}

// remark makes room for what is said about an answer. What is said before any
// belongs to the step.
func (s *screen) remark(text string) {
	if !s.answered {
		s.page += "\n" + text
		return
	}
	s.answered = false
	lines := strings.Split(s.page+"\n"+text, "\n")
	if s.height > 0 && s.rows(lines...) > s.height-spare+1 {
		s.redraw(s.head + "\n")
		return
	}
	s.redraw(s.page + "\n")
}

// say writes below what is there.
func (s *screen) say(text string) {
	fmt.Fprint(s.out, text)
	s.used += s.rows(strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
}

// full reports whether another result would push the first lines away.
func (s *screen) full() bool { return s.height > 0 && s.used > s.height-2*spare }

// pause leaves what is there until somebody has read it.
func (s *screen) pause(prompt string) {
	tty, err := terminal("what came of it must be read", "run the command on a terminal")
	if err != nil {
		return // the next question says so
	}
	defer tty.Close()
	fmt.Fprintf(tty, "  %s ", prompt)
	// Whatever is typed goes on, and an interruption is noticed at the next step.
	_, _ = readLine(context.Background(), tty)
	s.answered = true
}
