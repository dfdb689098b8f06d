# The application of ./config.ru, told where it is mounted. Only usherd reaches this socket, so what it says is true.
require 'rack'

application, = Rack::Builder.parse_file('config.ru')
run(lambda do |env|
  env['SCRIPT_NAME'] = env.fetch('HTTP_X_FORWARDED_PREFIX', '')
  env['REMOTE_ADDR'] = env.fetch('HTTP_X_FORWARDED_FOR', '')
  env['REMOTE_USER'] = env['HTTP_X_REMOTE_USER'] if env.key?('HTTP_X_REMOTE_USER')
  application.call(env)
end)
