package kernel

import (
	"fmt"
	"path/filepath"
	"strings"

	"elastography/kernel/ipynb"
)

// Notebooks lists the lessons of a checkout, in the order of the story: notebooks whose name begins with a number.
func Notebooks(root string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(root, "notebooks", "[0-9][0-9]_*.ipynb"))
	if err != nil {
		return nil, fmt.Errorf("list the notebooks: %w", err)
	}
	lessons := names[:0]
	for _, name := range names { // copies that a run leaves have another dot in their name
		if strings.Count(filepath.Base(name), ".") == 1 {
			lessons = append(lessons, name)
		}
	}
	return lessons, nil
}

// CheckNotebook holds a notebook to the form of a lesson for this kernel; see [ipynb.Check].
func CheckNotebook(name string) ([]ipynb.Problem, error) {
	return ipynb.Check(name, ipynb.Kernel{Name: Name, Display: DisplayName, Language: "go"})
}

// ExportNotebook turns a notebook, with new values for its parameters, into the source of a plain Go program; see
// [ipynb.Notebook.Export].
func ExportNotebook(name string, params map[string]string) ([]byte, error) {
	nb, err := ipynb.Read(name)
	if err != nil {
		return nil, err
	}
	if err := nb.SetParameters(params); err != nil {
		return nil, err
	}
	return nb.Export(strings.TrimSuffix(filepath.Base(name), ".ipynb"))
}
