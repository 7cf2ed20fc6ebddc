// Command cellbuild builds a notebook cell as `go build -o PROGRAM` does, in about half the time. It owns the recipes that it
// keeps; it never decides how a cell is compiled or linked.
//
// A cell is a program of one file. Most of what `go build` does before it compiles that file is to find out, anew at each edit, which
// of some 460 packages must be compiled, and the answer is the same until an import or a package changes. So the first build of a
// cell is traced (`go build -x`): the two commands that compiled and linked it, and the lists of archives that they were given, are
// its recipe. While nothing else than the text of the cell changes, these two commands run again.
//
// What a recipe depends on is its name: see [cell.key]. Whatever is unusual, and every failure, ends in plain `go build`, so that its
// messages are what a reader sees.
//
//	cellbuild GO ROOT RECIPES build -o PROGRAM
//
// GO is the go command, ROOT the checkout and RECIPES a folder for recipes, which processes share. The current folder is the cell's.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "usage: cellbuild GO ROOT RECIPES build -o PROGRAM")
		os.Exit(2)
	}
	dir, err := os.Getwd()
	if err == nil {
		err = builder{goTool: os.Args[1], root: os.Args[2], recipes: os.Args[3], dir: dir, said: os.Stderr}.run(os.Args[4:])
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "build a cell: %v; is Go installed?\n", err)
		os.Exit(1)
	}
}

type builder struct {
	goTool, root, recipes string
	dir                   string // the cell's folder
	said                  io.Writer
}

func (b builder) run(args []string) error {
	if len(args) != 3 || args[0] != "build" || args[1] != "-o" {
		return b.plain(args)
	}
	program := args[2]
	c, err := readCell(b.dir, b.root)
	if err != nil {
		return b.plain(args)
	}
	key, err := c.key(b.goTool)
	if err != nil {
		return b.plain(args)
	}
	if c.isBuilt(key, program) {
		return nil
	}
	work, err := os.MkdirTemp(c.dir, ".build-")
	if err != nil {
		return b.plain(args)
	}
	defer os.RemoveAll(work)
	name := filepath.Join(b.recipes, key+".json")
	r, err := readRecipe(name)
	if err != nil {
		return b.learn(c, key, name, work, program)
	}
	if r.run(c, work, program) == nil {
		c.markBuilt(key, program)
		return nil
	}
	if err := b.plain(args); err != nil {
		return err // the cell has an error
	}
	_ = os.Remove(name) // the recipe had: an archive may be gone
	return nil
}

// plain is what a reader without this command has: go with the same arguments.
func (b builder) plain(args []string) error {
	cmd := exec.Command(b.goTool, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = b.dir, b.said, b.said
	return cmd.Run()
}

var workLine = regexp.MustCompile(`(?m)^WORK=(.+)$`)

// learn builds the cell by go build and keeps the recipe that it shows, if it can be used.
func (b builder) learn(c *cell, key, name, work, program string) error {
	cmd := exec.Command(b.goTool, "build", "-x", "-work", "-o", program)
	cmd.Dir, cmd.Env = b.dir, append(os.Environ(), "GOTMPDIR="+work, "PWD="+b.dir)
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if cmd.Run() != nil {
		return b.plain([]string{"build", "-o", program}) // for its messages
	}
	m := workLine.FindStringSubmatch(trace.String())
	if m == nil {
		return nil
	}
	r, err := newRecipe(c, trace.String(), m[1])
	if err != nil {
		return nil
	}
	if again, err := c.key(b.goTool); err == nil && again == key { // no package was edited meanwhile
		r.store(name)
		c.markBuilt(key, program)
	}
	return nil
}
