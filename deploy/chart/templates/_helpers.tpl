{{- /* The labels of everything. */ -}}
{{- define "kfambassador.labels" -}}
app.kubernetes.io/name: kfambassador
{{- end -}}

{{- /* The labels of the gateway's pods, by which they are selected. */ -}}
{{- define "kfambassador.gateway" -}}
app.kubernetes.io/name: kfambassador
app.kubernetes.io/component: gateway
{{- end -}}

{{- define "kfambassador.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* What is of the whole cluster is named apart where the namespace is not the usual one. */ -}}
{{- define "kfambassador.clusterName" -}}
{{- if eq .root.Release.Namespace "kfambassador" -}}
{{ .name }}
{{- else -}}
{{ .name }}-{{ .root.Release.Namespace }}
{{- end -}}
{{- end -}}

{{- /* A file of deploy, in the release's namespace. */ -}}
{{- define "kfambassador.file" -}}
{{- $namespace := .root.Release.Namespace -}}
{{ .root.Files.Get (printf "files/%s" .name)
  | replace "namespace: kfambassador\n" (printf "namespace: %s\n" $namespace)
  | replace "kfambassador.kfambassador.svc" (printf "kfambassador.%s.svc" $namespace) }}
{{- end -}}

{{- define "kfambassador.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
