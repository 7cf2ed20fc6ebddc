// Package ipynb reads Jupyter notebooks whose cells are Go as GoNB takes it: it sets their parameters, holds them to the form
// of a lesson, and writes them out as plain Go programs. It never runs one, and never looks into the outputs.
package ipynb

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Notebook is a Jupyter notebook (nbformat 4) of which only the cells' source is understood; all else is kept as it is.
type Notebook struct {
	fields map[string]json.RawMessage
	cells  []map[string]json.RawMessage
}

// Parse reads a notebook's bytes.
func Parse(data []byte) (*Notebook, error) {
	nb := &Notebook{}
	if err := json.Unmarshal(data, &nb.fields); err != nil {
		return nil, fmt.Errorf("not a notebook: %w", err)
	}
	if err := json.Unmarshal(nb.fields["cells"], &nb.cells); err != nil {
		return nil, fmt.Errorf("not a notebook (nbformat 4): its cells: %w", err)
	}
	return nb, nil
}

// Read parses the file name.
func Read(name string) (*Notebook, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	nb, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return nb, nil
}

// Bytes returns the notebook as a file holds it.
func (nb *Notebook) Bytes() ([]byte, error) {
	cells, err := json.Marshal(nb.cells)
	if err != nil {
		return nil, err
	}
	nb.fields["cells"] = cells
	return json.Marshal(nb.fields)
}

// Len is the number of cells; they are numbered from 0 here and from 1 in messages.
func (nb *Notebook) Len() int { return len(nb.cells) }

// Source returns a cell's text, which notebooks store as a string or as a list of lines.
func (nb *Notebook) Source(i int) string {
	var text string
	if json.Unmarshal(nb.cells[i]["source"], &text) == nil {
		return text
	}
	var lines []string
	_ = json.Unmarshal(nb.cells[i]["source"], &lines)
	return strings.Join(lines, "")
}

// SetSource replaces a cell's text.
func (nb *Notebook) SetSource(i int, text string) {
	source, _ := json.Marshal(text) // a string always has a JSON form
	nb.cells[i]["source"] = source
}

// ID returns a cell's name, which nbformat 4.5 demands and earlier ones lack.
func (nb *Notebook) ID(i int) string { return nb.text(i, "id") }

// IsCode tells code from prose.
func (nb *Notebook) IsCode(i int) bool { return nb.text(i, "cell_type") == "code" }

func (nb *Notebook) text(i int, field string) string {
	var s string
	_ = json.Unmarshal(nb.cells[i][field], &s)
	return s
}

// HasTag tells whether a cell carries the tag.
func (nb *Notebook) HasTag(i int, tag string) bool {
	var meta struct {
		Tags []string `json:"tags"`
	}
	_ = json.Unmarshal(nb.cells[i]["metadata"], &meta)
	return slices.Contains(meta.Tags, tag)
}

// code lists the cells that hold code.
func (nb *Notebook) code() (cells []int) {
	for i := range nb.cells {
		if nb.IsCode(i) && strings.TrimSpace(nb.Source(i)) != "" {
			cells = append(cells, i)
		}
	}
	return cells
}
