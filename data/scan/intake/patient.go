package intake

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// PatientRule says whose a file is when neither DICOM nor a table does.
type PatientRule struct {
	kind    string
	pattern *regexp.Regexp
}

// ParsePatientRule reads "folder" (each folder is one patient), "file" (each
// file is one) or "name:REGEXP" (the first group of the expression, found in
// the file's path, is the patient).
func ParsePatientRule(text string) (PatientRule, error) {
	switch text {
	case "folder", "file":
		return PatientRule{kind: text}, nil
	}
	expression, ok := strings.CutPrefix(text, "name:")
	if !ok {
		return PatientRule{}, fmt.Errorf("import: --patient-from %q is none of folder, file, name:REGEXP", text)
	}
	pattern, err := regexp.Compile(expression)
	if err != nil || pattern.NumSubexp() < 1 {
		return PatientRule{}, fmt.Errorf("import: --patient-from %q: the expression must be valid and have a group in parentheses, such as name:pat([0-9]+) (%v)", text, err)
	}
	return PatientRule{kind: "name", pattern: pattern}, nil
}

// Item is one file, by path or by the URL that another package reads it from.
func (r PatientRule) Item(file string) (Item, error) {
	patient, err := r.of(file)
	return Item{Files: []string{file}, Patient: patient}, err
}

// of names the patient of a file by the rule. The folder's whole path counts:
// two wards may both have a folder "patient1". A number found in the name is
// taken as DICOM takes a patient's number: both mean the same patient.
func (r PatientRule) of(path string) (string, error) {
	switch r.kind {
	case "file":
		return "place " + path, nil
	case "name":
		m := r.pattern.FindStringSubmatch(path)
		if m == nil || m[1] == "" {
			return "", fmt.Errorf("import: --patient-from finds no patient in %s; mend the expression, or list the files in a CSV table", path)
		}
		return "id " + m[1], nil
	}
	return "place " + filepath.Dir(path), nil
}
