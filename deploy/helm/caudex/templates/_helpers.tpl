{{- define "caudex.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "caudex.selector" -}}
app.kubernetes.io/name: caudex
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "caudex.labels" -}}
{{ include "caudex.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "caudex.serviceAccountName" -}}
{{ default (ternary (include "caudex.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{/* Not empty where a process may run more than once. */}}
{{- define "caudex.several" -}}
{{- $app := index .root.Values.apps .name }}
{{- if or (gt (int (default 1 $app.replicas)) 1) (and (eq .name "backend") .root.Values.autoscaling.enabled) }}true{{ end }}
{{- end }}

{{/* Not empty where each of several processes keeps all data of its service. */}}
{{- define "caudex.copied" -}}
{{- if and (has .name (list "chroma" "git")) (include "caudex.several" .) }}true{{ end }}
{{- end }}

{{/* The address of a server; of several that each keep all data, the address of each. */}}
{{- define "caudex.url" -}}
{{- $app := index .root.Values.apps .name }}
{{- $host := printf "%s-%s" (include "caudex.fullname" .root) .name }}
{{- if include "caudex.copied" . }}
{{- $urls := list }}
{{- range $n := until (int $app.replicas) }}
{{- $urls = append $urls (printf "http://%s-%d.%s-pods:%d" $host $n $host (int $app.port)) }}
{{- end }}
{{- join "," $urls }}
{{- else }}
{{- printf "http://%s%s:%d" $host (ternary "-pods" "" (not (empty (include "caudex.several" .)))) (int $app.port) }}
{{- end }}
{{- end }}
