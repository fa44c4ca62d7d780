// Reads {cases: [{Template, Messages, Tools, …}]} and prints the outputs of Go's text/template as JSON; run by make_ollama.ts.
package main

import (
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

// Text prints as Ollama's tools and arguments do: by a String method that the pointer alone has.
type Text struct{ value string }

func (text *Text) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &text.value) }
func (text *Text) String() string                  { return text.value }

type Call struct {
	Function struct {
		Name      string
		Arguments Text
	}
}

type Data struct {
	Messages []struct {
		Role, Content, Thinking string
		ToolCalls               []Call
	}
	Tools             []struct{ Function Text }
	System            string
	IsThinkSet, Think bool
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Ollama's own function.
var functions = template.FuncMap{"json": func(value any) string {
	encoded, err := json.Marshal(value)
	check(err)
	return string(encoded)
}}

func main() {
	var input struct {
		Cases []struct {
			Template string
			Data
		}
	}
	check(json.NewDecoder(os.Stdin).Decode(&input))
	outputs := []string{}
	for i := range input.Cases {
		parsed, err := template.New("").Funcs(functions).Parse(input.Cases[i].Template)
		check(err)
		var output strings.Builder
		check(parsed.Execute(&output, &input.Cases[i].Data))
		outputs = append(outputs, output.String())
	}
	check(json.NewEncoder(os.Stdout).Encode(outputs))
}
