package data

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"reflect"
	"regexp"
	"strings"

	"elastography/data/phantom"
)

// declarations are the packages in which each parameter stands with its source: a card that copied them would soon be wrong.
//
//go:embed phantom/*.go scanner/*.go
var declarations embed.FS

// parameter is one number of a recipe or scanner, as the card prints it.
type parameter struct{ name, value, comment, group string } // group is what is said of its type

// citation matches what a comment names a source by: a study's identifier, site, year or author.
var citation = regexp.MustCompile(`PMC\d|pubmed|\b(19|20)\d\d\b|\w\.(org|com|ug|uk|info|edu|life)\b|fonc|aiua|ejrnm|medluna|Smolski|multifocality|Barr|Sage|SIMUS|[Ff]acts`)

// kind says what a parameter rests on, by what its comment, or else that of its type, admits.
func (p parameter) kind() string {
	for _, text := range []string{p.comment, p.group} {
		switch lower := strings.ToLower(text); {
		case strings.Contains(lower, "assumption") || strings.Contains(lower, "remembered"):
			return "assumption"
		case strings.Contains(lower, "design"):
			return "design"
		case citation.MatchString(text) || strings.Contains(lower, "same source") || strings.Contains(lower, "same two studies"):
			return "source"
		}
	}
	return "not stated"
}

// parameters lists the fields of a struct with their values and the comments that their declaration carries. Fields that
// are zero say nothing of this organ or scanner and are left out.
func parameters(v any) ([]parameter, error) {
	comments := make(map[string]string)
	for _, dir := range []string{"phantom", "scanner"} {
		entries, err := declarations.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			text, err := declarations.ReadFile(path.Join(dir, e.Name()))
			if err != nil {
				return nil, err
			}
			file, err := parser.ParseFile(token.NewFileSet(), e.Name(), text, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			collectComments(file, comments)
		}
	}
	var list []parameter
	listFields(reflect.ValueOf(v), "", comments, &list)
	return list, nil
}

// collectComments notes the comment of each type, and of each field as "Type.Field".
func collectComments(file *ast.File, comments map[string]string) {
	ast.Inspect(file, func(n ast.Node) bool {
		if group, ok := n.(*ast.GenDecl); ok && len(group.Specs) == 1 {
			if spec, ok := group.Specs[0].(*ast.TypeSpec); ok {
				comments[spec.Name.Name] = group.Doc.Text()
			}
		}
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range s.Fields.List {
				for _, name := range field.Names {
					comments[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(field.Doc.Text()+" "+field.Comment.Text()), " ")
				}
			}
		}
		return true
	})
}

func listFields(v reflect.Value, prefix string, comments map[string]string, list *[]parameter) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if value.IsZero() || value.Kind() == reflect.String {
			continue
		}
		name := prefix + field.Name
		if text, ok := leaf(value); ok {
			*list = append(*list, parameter{name, text, comments[v.Type().Name()+"."+field.Name], comments[v.Type().Name()]})
			continue
		}
		listFields(value, name+".", comments, list)
	}
}

// leaf prints a value that is not a group of parameters.
func leaf(v reflect.Value) (string, bool) {
	switch x := v.Interface().(type) {
	case phantom.Normal:
		return fmt.Sprintf("%g ± %g, within %g to %g", x.Mean, x.SD, x.Min, x.Max), true
	case phantom.LogNormal:
		return fmt.Sprintf("median %g, log-SD %g, within %g to %g", x.Median, x.LogSD, x.Min, x.Max), true
	case phantom.Tissue:
		return fmt.Sprintf("%g kPa (log-SD %g between, %g within patients), %g ± %g dB, %g dB/cm/MHz, cluster shape %g",
			x.EKPa, x.BetweenLogSD, x.WithinLogSD, x.EchoDB, x.EchoSD, x.AttenDBCmMHz, x.ClusterShape), true
	}
	if v.Kind() == reflect.Struct {
		return "", false
	}
	return strings.Trim(fmt.Sprint(v.Interface()), "[]"), true
}

// writeParameters prints what the population and the scanner were made from, one line a parameter.
func writeParameters(b *strings.Builder, title string, v any) error {
	list, err := parameters(v)
	if err != nil {
		return fmt.Errorf("read the parameters' sources: %w", err)
	}
	fmt.Fprintf(b, "### %s\n\n| parameter | value | rests on | what is said of it |\n|---|---|---|---|\n", title)
	for _, p := range list {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", p.name, p.value, p.kind(), strings.ReplaceAll(p.comment, "|", "\\|"))
	}
	b.WriteString("\n")
	return nil
}
