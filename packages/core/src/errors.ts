export { UserError } from '@anneal/formats/errors';
